"""Which channels of a network go together: what a residual sum, a depthwise layer or a pool couples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_nas.network.spec import NetworkSpec


@dataclass(frozen=True)
class Group:
    """``width`` channels that stay or go alike in every layer that has them.

    ``layer`` is the path in ``StaticNetwork`` of the first convolution that puts them out.
    """

    layer: str
    width: int


@dataclass(frozen=True)
class _Block:
    """Groups of a block, by index; ``squeezed`` is None without squeeze-excite."""

    inputs: int
    hidden: int
    squeezed: int | None
    outputs: int


@dataclass(frozen=True)
class Layout:
    """The groups of a specification in the order of its layers, and where each of them stands.

    The head's outputs, the classes, are no group: they are never pruned.
    """

    spec: NetworkSpec
    groups: tuple[Group, ...]
    blocks: tuple[_Block, ...]
    final: int | None
    features: int

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each group."""
        return tuple(group.width for group in self.groups)

    def narrowed(self, widths: Sequence[int]) -> NetworkSpec:
        """The specification with ``widths`` instead."""
        blocks = tuple(
            replace(
                block,
                in_channels=widths[at.inputs],
                hidden_channels=widths[at.hidden],
                se_channels=0 if at.squeezed is None else widths[at.squeezed],
                out_channels=widths[at.outputs],
            )
            for block, at in zip(self.spec.blocks, self.blocks, strict=True)
        )
        return replace(
            self.spec,
            stem_channels=widths[0],
            blocks=blocks,
            final_channels=0 if self.final is None else widths[self.final],
            features=widths[self.features],
        )


def layout_of(spec: NetworkSpec) -> Layout:
    """Find the groups of ``spec``.

    A residual block puts out the group that it takes in; one without an expansion has no hidden
    channels of its own; without a feature mix the pooled map's channels are the features.
    """
    groups = [Group("stem.conv", spec.stem_channels)]

    def new(layer: str, width: int) -> int:
        groups.append(Group(layer, width))
        return len(groups) - 1

    at, blocks = 0, []
    for index, block in enumerate(spec.blocks):
        name = f"blocks.{index}"
        hidden = new(f"{name}.expand.conv", block.hidden_channels) if block.expand else at
        squeezed = new(f"{name}.se.reduce", block.se_channels) if block.se_channels else None
        outputs = at if block.residual else new(f"{name}.project.conv", block.out_channels)
        blocks.append(_Block(at, hidden, squeezed, outputs))
        at = outputs
    final = new("final.conv", spec.final_channels) if spec.final_channels else None
    at = at if final is None else final
    features = new("mix", spec.features) if spec.mix else at
    return Layout(spec, tuple(groups), tuple(blocks), final, features)
