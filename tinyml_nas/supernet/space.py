"""The search space: integer genes ↔ architecture ↔ the network's plain numbers.

Once-for-All's MobileNetV3 space (Cai et al. 2020): stages of up to ``max(depths)`` inverted residual
blocks; each stage has a depth, each block a kernel and an expansion, and the input side is one more
gene. A genotype is an integer vector laid out as

    [resolution, then for each stage: depth, then for each of its blocks: kernel, expansion]

whose entries index the options below. Genes of blocks that a stage's depth drops are not expressed;
the canonical genotype has zeros there, so that one network has one genotype.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tinyml_nas.network.spec import Activation, BlockSpec, NetworkSpec
from tinyml_nas.types import Architecture

Genotype = npt.NDArray[np.int64]

MOST_CHANNELS = 16_384
"""Of any layer; what no board could hold is a slip of the pen."""


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of ``divisor``, never more than 10 % down (MobileNet's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True)
class BlockChoice:
    """What one block of one architecture uses."""

    kernel: int
    expansion: int


@dataclass(frozen=True)
class MobileNetV3Space:
    """Widths, strides and options of the elastic MobileNetV3.

    ``widths`` and ``strides`` hold the fixed first block and then one entry a stage, as do
    ``hard_swish`` and ``squeeze_excite``. ``kernels``, ``expansions``, ``depths`` and ``resolutions``
    are the options of the genes, in rising order.
    """

    resolutions: tuple[int, ...]
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]
    stem_channels: int
    stem_stride: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    hard_swish: tuple[bool, ...]
    squeeze_excite: tuple[bool, ...]
    final_channels: int
    features: int
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        for key in ("resolutions", "depths", "kernels", "expansions"):
            options = tuple(getattr(self, key))
            if not options or any(a >= b for a, b in pairwise(options)) or options[0] < 1:
                raise ValueError(
                    f"supernet.{key}: must be positive whole numbers in rising order; got {list(options)}"
                )
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"supernet.kernels: must be odd; got {list(self.kernels)}")
        for key in ("stem_channels", "widths", "final_channels", "features"):
            given = getattr(self, key)
            if any(not 0 < width <= MOST_CHANNELS for width in np.atleast_1d(given).tolist()):
                raise ValueError(f"supernet.{key}: must be from 1 to {MOST_CHANNELS}; got {given}")
        for key in ("strides", "hard_swish", "squeeze_excite"):
            if len(getattr(self, key)) != len(self.widths):
                raise ValueError(
                    f"supernet.{key}: needs {len(self.widths)} entries, one for each of "
                    f"supernet.widths; got {len(getattr(self, key))}"
                )
        if any(stride not in (1, 2) for stride in (self.stem_stride, *self.strides)):
            raise ValueError(f"supernet.strides: must be 1 or 2; got {list(self.strides)}")

    @property
    def stages(self) -> int:
        """Number of elastic stages."""
        return len(self.widths) - 1

    @property
    def max_depth(self) -> int:
        """Blocks of a stage at its deepest."""
        return self.depths[-1]

    @property
    def upper(self) -> Genotype:
        """Inclusive upper bound of each gene (the lower bound is 0)."""
        block = [len(self.kernels) - 1, len(self.expansions) - 1]
        stage = [len(self.depths) - 1, *block * self.max_depth]
        return np.array([len(self.resolutions) - 1, *stage * self.stages], dtype=np.int64)

    def smallest(self) -> Genotype:
        """The genotype of the smallest network at the smallest resolution."""
        return np.zeros_like(self.upper)

    def largest(self) -> Genotype:
        """The genotype of the largest network at the largest resolution."""
        return self.upper

    def sample(self, rng: np.random.Generator) -> Genotype:
        """Draw each gene uniformly; canonical."""
        return self.canonical(rng.integers(0, self.upper, endpoint=True))

    def canonical(self, genotype: Genotype) -> Genotype:
        """Put zeros where a gene is not expressed."""
        self._check(genotype)
        result = np.array(genotype, dtype=np.int64)
        for stage in result[1:].reshape(self.stages, -1):  # rows are views into ``result``
            stage[1 + 2 * self.depths[stage[0]] :] = 0
        return result

    def architecture(self, genotype: Genotype) -> Architecture:
        """Name a network by its canonical genes."""
        genes = self.canonical(genotype)
        return Architecture(tuple(int(g) for g in genes), self.resolutions[genes[0]])

    def choices(self, genotype: Genotype) -> tuple[tuple[BlockChoice, ...], ...]:
        """Decode into the blocks of each stage."""
        genes = self.canonical(genotype)
        return tuple(
            tuple(
                BlockChoice(self.kernels[kernel], self.expansions[expansion])
                for kernel, expansion in stage[1:].reshape(-1, 2)[: self.depths[stage[0]]]
            )
            for stage in genes[1:].reshape(self.stages, -1)
        )

    def spec(self, genotype: Genotype, classes: int) -> NetworkSpec:
        """Decode into a static network's plain numbers."""
        first = self.block(0, self.stem_channels, self.strides[0], BlockChoice(3, 1))
        blocks = [first]
        for stage, stage_choices in enumerate(self.choices(genotype), start=1):
            for position, choice in enumerate(stage_choices):
                stride = self.strides[stage] if position == 0 else 1
                blocks.append(self.block(stage, blocks[-1].out_channels, stride, choice))
        return NetworkSpec(
            resolution=self.resolutions[int(genotype[0])],
            classes=classes,
            stem_channels=self.stem_channels,
            stem_stride=self.stem_stride,
            blocks=tuple(blocks),
            final_channels=self.final_channels,
            features=self.features,
        )

    def block(self, stage: int, in_channels: int, stride: int, choice: BlockChoice) -> BlockSpec:
        """One block of a stage (stage 0 is the fixed first block)."""
        hidden = make_divisible(in_channels * choice.expansion)
        out = self.widths[stage]
        activation: Activation = "hard_swish" if self.hard_swish[stage] else "relu"
        return BlockSpec(
            in_channels=in_channels,
            hidden_channels=hidden,
            out_channels=out,
            kernel=choice.kernel,
            stride=stride,
            se_channels=make_divisible(hidden / 4) if self.squeeze_excite[stage] else 0,
            activation=activation,
            expand=choice.expansion > 1,
            residual=stride == 1 and in_channels == out,
        )

    def _check(self, genotype: Genotype) -> None:
        upper = self.upper
        if np.shape(genotype) != upper.shape:
            raise ValueError(f"genotype: needs {len(upper)} genes; got shape {np.shape(genotype)}")
        if np.any(genotype < 0) or np.any(genotype > upper):
            raise ValueError(
                f"genotype: genes must lie in 0..{upper.tolist()}; got {np.asarray(genotype).tolist()}"
            )
