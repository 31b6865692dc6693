"""What a generated project is made from. ``codegen.emit.emitter`` turns a ``Project`` into a tree of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from codegen.boards.board import Board
from codegen.ir import Graph
from codegen.texts import check_line

Loss = Literal["cross_entropy", "squared_error"]
LONGEST_TEXT = 200  # characters: a project's name is part of files' names, which have 255 bytes

# As runtime/learner/limits.hpp: within these, everything that the learner computes is finite.
LEAST_RATE = float(np.finfo(np.float32).tiny)  # below it, float32 keeps a few bits, or none
MOST_RATE = 1e6
MOST_FEATURE = 1e6
MOST_WEIGHT = 1e24
# A pass over the buffer already is what TyBox makes of one label. A board on which a thousand are
# not enough takes longer over them than the host's tool waits for its reply.
MOST_PASSES = 1000
MOST_SAMPLES = 2**31 - 1  # the buffer counts them in an int32


def check_rate(key: str, value: float) -> None:
    """Refuse what is no learning rate: it must be a normal float32 above 0, and at most 1e6.

    Raises:
        ValueError: it is none; names ``key``.
    """
    if not LEAST_RATE <= value <= MOST_RATE:  # nor is a NaN
        raise ValueError(
            f"{key}: must be positive, a normal number in float32 and at most {MOST_RATE:g}, that "
            f"is in {LEAST_RATE:.3g}..{MOST_RATE:g}; got {value}"
        )


def check_passes(passes: int) -> None:
    """Refuse a number of passes over the buffer that is none, or that no board gets through.

    Raises:
        ValueError: it is one of these.
    """
    if not 1 <= passes <= MOST_PASSES:
        raise ValueError(
            f"learner.passes: must be in 1..{MOST_PASSES}, each of them over the whole buffer for "
            f"every label; got {passes}"
        )


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """The trainable last layer Φ_c in float32: ``weights`` (classes, features), ``bias`` (classes,)."""

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.bias.shape != self.weights.shape[:1]:
            raise ValueError(
                "head: weights must be (classes, features) and bias (classes,); "
                f"got {self.weights.shape} and {self.bias.shape}"
            )
        # A NaN is not within the bound either.
        if not all(np.all(np.abs(part) <= MOST_WEIGHT) for part in (self.weights, self.bias)):
            raise ValueError(f"head: weights and bias must be finite and within {MOST_WEIGHT:g}")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.weights.shape[0])

    @property
    def features(self) -> int:
        """Number of features."""
        return int(self.weights.shape[1])


@dataclass(frozen=True)
class LearnerSettings:
    """How the device learns: on every labelled sample, push, then ``passes`` passes of plain SGD.

    ``buffer_samples`` is N_B (TyBox); 1 is TinyOL. The buffer is first-in-first-out.
    """

    buffer_samples: int
    learning_rate: float
    passes: int = 1
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        if not 1 <= self.buffer_samples <= MOST_SAMPLES:
            raise ValueError(
                f"learner.buffer_samples: must be in 1..{MOST_SAMPLES}; got {self.buffer_samples}"
            )
        check_rate("learner.learning_rate", self.learning_rate)
        check_passes(self.passes)
        if self.loss not in ("cross_entropy", "squared_error"):
            raise ValueError(
                f"learner.loss: must be one of cross_entropy, squared_error; got {self.loss!r}"
            )


@dataclass(frozen=True, eq=False)
class Golden:
    """Inputs and the features that belong to them; the self-test compares byte by byte.

    ``inputs`` (N, H, W, C) and ``features`` (N, F), both in the extractor's own dtype. ``origin``
    says, for the project's README, where the features are from.
    """

    inputs: npt.NDArray[np.generic]
    features: npt.NDArray[np.generic]
    origin: str = "TensorFlow Lite Micro's reference kernels"


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that the emitter needs. ``graph`` ends at the features (before the last Dense)."""

    name: str
    graph: Graph
    head: HeadWeights
    learner: LearnerSettings
    board: Board
    golden: Golden
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        quantization = self.graph.output.quantization
        if quantization is not None and quantization.scales[0] * 255 > MOST_FEATURE:
            raise ValueError(
                f"model: its features have a scale of {quantization.scales[0]:g}; a learner takes "
                f"features up to {MOST_FEATURE:g}, 255 times their scale"
            )
        check_line("name", self.name, LONGEST_TEXT)
        check_line("golden.origin", self.golden.origin, 2 * LONGEST_TEXT)
        for number, name in enumerate(self.class_names):
            check_line(f"class_names[{number}]", name, LONGEST_TEXT)
