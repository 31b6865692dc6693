"""Which uniform share of the channels makes a network fit a number of bytes."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction

from tinyml_nas.network.spec import BlockSpec, NetworkSpec
from tinyml_nas.pruning.base import SizeOf


@dataclass(frozen=True)
class Share:
    """A share of a layer's channels, in [0, 1], rounded to a multiple of ``round_to``."""

    value: Fraction
    round_to: int

    def kept(self, channels: int) -> int:
        """How many of ``channels`` stay: at least one multiple, half a multiple rounds up."""
        if self.value == 1:
            return channels
        multiples = math.floor(self.value * channels / self.round_to + Fraction(1, 2))
        return min(channels, max(1, multiples) * self.round_to)

    def of(self, spec: NetworkSpec) -> NetworkSpec:
        """The network with every layer but the head's outputs narrowed to this share."""
        return replace(
            spec,
            stem_channels=self.kept(spec.stem_channels),
            blocks=tuple(self._of_block(block) for block in spec.blocks),
            final_channels=self.kept(spec.final_channels),
            features=self.kept(spec.features),
        )

    def _of_block(self, block: BlockSpec) -> BlockSpec:
        return replace(
            block,
            in_channels=self.kept(block.in_channels),
            hidden_channels=self.kept(block.hidden_channels),
            out_channels=self.kept(block.out_channels),
            se_channels=self.kept(block.se_channels) if block.se_channels else 0,
        )


def widest_share(spec: NetworkSpec, size_of: SizeOf, limit_bytes: float, round_to: int) -> Share:
    """The largest share whose network has at most ``limit_bytes``.

    Channel counts are whole multiples, so the size is a staircase of the share; its steps are
    enumerated and searched by bisection, and no share in between could give another network.

    Raises:
        ValueError: the narrowest network is larger than ``limit_bytes``.
    """
    steps = [Share(value, round_to) for value in _steps(spec, round_to)]
    position = bisect_right(steps, limit_bytes, key=lambda share: size_of(share.of(spec)))
    if position == 0:
        least = narrowest_ratio(spec, size_of, round_to)
        raise ValueError(
            f"pruning.keep_ratio: must be at least {least:.4g} here, the narrowest network that "
            f"pruning.round_to {round_to} allows; got {limit_bytes / size_of(spec):.4g}"
        )
    return steps[position - 1]


def narrowest_ratio(spec: NetworkSpec, size_of: SizeOf, round_to: int) -> float:
    """Bytes of the narrowest network, as a share of the whole one's."""
    return size_of(Share(Fraction(0), round_to).of(spec)) / size_of(spec)


def _steps(spec: NetworkSpec, round_to: int) -> list[Fraction]:
    """Every share at which some layer gains a multiple, ascending, from 0 to 1."""
    widths = {spec.stem_channels, spec.final_channels, spec.features}
    for block in spec.blocks:
        widths |= {block.in_channels, block.hidden_channels, block.out_channels, block.se_channels}
    gains = {
        Fraction((2 * multiple + 1) * round_to, 2 * width)
        for width in widths - {0}
        for multiple in range(1, width // round_to)
    }
    return [Fraction(0), *sorted(gain for gain in gains if gain < 1), Fraction(1)]
