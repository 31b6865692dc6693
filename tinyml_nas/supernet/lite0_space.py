"""The search space over EfficientNet-Lite0: what may be left out of the network, gene by gene.

A genotype is an integer vector laid out as

    [resolution, last stage, final channels, then for each of the stages 2 to 7:
     depth, then for each of its blocks: kernel, expansion]

whose entries index the options below. Stage 1, the stem and every stage's width are fixed, so that
each weight means in every network what it meant on ImageNet. A stage keeps its first blocks; a
network that ends before stage 7 has no 1x1 expansion, and its pooled map is the features. Genes of
what is left out are not expressed: the canonical genotype has zeros there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from tinyml_nas.network.lite0 import (
    FINAL_CHANNELS,
    STAGES,
    STEM_CHANNELS,
    Stage,
    lite0_block,
    lite0_network,
)
from tinyml_nas.network.spec import BlockSpec, NetworkSpec
from tinyml_nas.supernet.space import BlockChoice, Genotype
from tinyml_nas.types import Architecture

ELASTIC = STAGES[1:]
FIRST_ELASTIC = 2
HEAD_GENES = 3


@dataclass(frozen=True)
class Lite0Space:
    """Options of the genes, in rising order.

    Args:
        resolutions: Input sides in pixels.
        last_stages: Stages, 2 to 7, after which a network may end.
        kernels: Of the stages whose kernel is 5 on ImageNet; the others keep 3.
        expansions: Hidden channels of a block as a multiple of its inputs, at most ImageNet's 6.
        final_channels: Outputs of the 1x1 expansion behind stage 7, at most ImageNet's 1,280.
        checkpoint: A trained supernet's file or shipped name; null starts from ImageNet's weights.
    """

    resolutions: tuple[int, ...]
    last_stages: tuple[int, ...]
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]
    final_channels: tuple[int, ...]
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        ranges = {
            "resolutions": (8, 224),
            "last_stages": (FIRST_ELASTIC, len(STAGES)),
            "kernels": (3, 5),
            "expansions": (2, 6),
            "final_channels": (8, FINAL_CHANNELS),
        }
        for key, (least, most) in ranges.items():
            options = tuple(getattr(self, key))
            rising = all(a < b for a, b in pairwise(options))
            if not (options and rising and least <= options[0] and options[-1] <= most):
                raise ValueError(
                    f"supernet.{key}: must be whole numbers from {least} to {most} in rising order; "
                    f"got {list(options)}"
                )
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"supernet.kernels: must be odd; got {list(self.kernels)}")

    def kernels_of(self, stage: Stage) -> tuple[int, ...]:
        """Kernels from which a stage's blocks choose."""
        return self.kernels if stage.kernel == 5 else (stage.kernel,)

    @cached_property
    def upper(self) -> Genotype:
        """Inclusive upper bound of each gene (the lower bound is 0)."""
        bounds = [len(self.resolutions), len(self.last_stages), len(self.final_channels)]
        for stage in ELASTIC:
            bounds.append(stage.blocks)
            bounds += [len(self.kernels_of(stage)), len(self.expansions)] * stage.blocks
        return np.array(bounds, dtype=np.int64) - 1

    def smallest(self) -> Genotype:
        """The genotype of the smallest network at the smallest resolution."""
        return np.zeros_like(self.upper)

    def largest(self) -> Genotype:
        """The genotype of the largest network at the largest resolution."""
        return self.upper.copy()

    def sample(self, rng: np.random.Generator) -> Genotype:
        """Draw each gene uniformly; canonical."""
        return self.canonical(rng.integers(0, self.upper, endpoint=True))

    def canonical(self, genotype: Genotype) -> Genotype:
        """Put zeros where a gene is not expressed."""
        self._check(genotype)
        result = np.array(genotype, dtype=np.int64)
        last = self.last_stage(result)
        if last < len(STAGES):
            result[2] = 0
        for number, genes in self._stages(result):
            if number > last:
                genes[:] = 0
            genes[1 + 2 * (genes[0] + 1) :] = 0
        return result

    def architecture(self, genotype: Genotype) -> Architecture:
        """Name a network by its canonical genes."""
        genes = self.canonical(genotype)
        return Architecture(tuple(int(g) for g in genes), self.resolutions[genes[0]])

    def last_stage(self, genotype: Genotype) -> int:
        """The stage, counted from 1, after which the network ends."""
        return self.last_stages[int(genotype[1])]

    def width(self, genotype: Genotype) -> int:
        """Channels of the 1x1 expansion; 0 where there is none."""
        whole = self.last_stage(genotype) == len(STAGES)
        return self.final_channels[int(genotype[2])] if whole else 0

    def choices(self, genotype: Genotype) -> tuple[tuple[BlockChoice, ...], ...]:
        """Decode into the blocks of each elastic stage; of those that are left out, none."""
        genes = self.canonical(genotype)
        last = self.last_stage(genes)
        return tuple(
            tuple(
                BlockChoice(self.kernels_of(STAGES[number - 1])[kernel], self.expansions[expansion])
                for kernel, expansion in stage[1:].reshape(-1, 2)[: stage[0] + 1]
            )
            if number <= last
            else ()
            for number, stage in self._stages(genes)
        )

    def spec(self, genotype: Genotype, classes: int) -> NetworkSpec:
        """Decode into a static network's plain numbers."""
        blocks = [first_block()]
        for stage, chosen in zip(ELASTIC, self.choices(genotype), strict=True):
            for position, choice in enumerate(chosen):
                before = blocks[-1].out_channels
                stride = stage.stride if position == 0 else 1
                hidden = before * choice.expansion
                blocks.append(lite0_block(before, hidden, stage.channels, choice.kernel, stride))
        resolution = self.resolutions[int(genotype[0])]
        return lite0_network(tuple(blocks), resolution, classes, self.width(genotype))

    def _stages(self, genotype: Genotype) -> list[tuple[int, Genotype]]:
        """Each elastic stage's number and its genes, as views into ``genotype``."""
        found, start = [], HEAD_GENES
        for number, stage in enumerate(ELASTIC, start=FIRST_ELASTIC):
            end = start + 1 + 2 * stage.blocks
            found.append((number, genotype[start:end]))
            start = end
        return found

    def _check(self, genotype: Genotype) -> None:
        upper = self.upper
        if np.shape(genotype) != upper.shape:
            raise ValueError(f"genotype: needs {len(upper)} genes; got shape {np.shape(genotype)}")
        if np.any(genotype < 0) or np.any(genotype > upper):
            raise ValueError(
                f"genotype: genes must lie in 0..{upper.tolist()}; got {np.asarray(genotype).tolist()}"
            )


def first_block() -> BlockSpec:
    """Stage 1, which has no expansion and is in every network."""
    stage = STAGES[0]
    return lite0_block(STEM_CHANNELS, STEM_CHANNELS, stage.channels, stage.kernel, stage.stride)
