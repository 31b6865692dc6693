"""What a generated project is made from. ``codegen.emit.emitter`` turns a ``Project`` into a tree of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from codegen.boards.board import Board
from codegen.ir import Graph

Loss = Literal["cross_entropy", "squared_error"]


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
        if self.buffer_samples < 1:
            raise ValueError(
                f"learner.buffer_samples: must be at least 1; got {self.buffer_samples}"
            )
        if not self.learning_rate > 0:
            raise ValueError(f"learner.learning_rate: must be positive; got {self.learning_rate}")
        if self.passes < 1:
            raise ValueError(f"learner.passes: must be at least 1; got {self.passes}")
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
