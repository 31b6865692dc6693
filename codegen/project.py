"""What a generated project is made from. ``codegen.emit.emitter`` turns a ``Project`` into a tree of files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.ir import Graph
from codegen.learners.base import Learner, check_samples, compiled_classes
from codegen.learners.statistics import Statistics
from codegen.limits import MOST_FEATURE, MOST_WEIGHT
from codegen.normalisation import Normalisation, told_by
from codegen.texts import check_line

LONGEST_TEXT = 200  # characters: a project's name is part of files' names, which have 255 bytes


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
class Network:
    """A network without a head, as the emitter needs it. ``golden`` holds inputs and outputs."""

    name: str
    graph: Graph
    board: Board
    golden: Golden

    def __post_init__(self) -> None:
        check_line("name", self.name, LONGEST_TEXT)
        check_line("golden.origin", self.golden.origin, 2 * LONGEST_TEXT)


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that the emitter needs. ``graph`` ends at the features (before the last Dense).

    ``buffer_samples`` is N_B, 0 for a learner that keeps no samples. ``statistics`` are of the training
    features, for learners that start from them. ``normalisation`` is that of the training's images.
    """

    name: str
    graph: Graph
    head: HeadWeights
    learner: Learner
    buffer_samples: int
    board: Board
    golden: Golden
    class_names: tuple[str, ...] = ()
    statistics: Statistics | None = None
    normalisation: Normalisation | None = None

    @property
    def pixels(self) -> Normalisation | None:
        """How the network sees a byte of an image: as given, or as its input's quantization tells."""
        return self.normalisation or told_by(self.graph.input)

    @property
    def classes(self) -> int:
        """Classes that are compiled in; the head has those that were trained on the host."""
        return compiled_classes(self.learner, self.head.classes)

    @property
    def shape(self) -> Shape:
        """What the learner's bytes depend on."""
        dtype = self.graph.output.dtype
        return Shape(self.head.features, self.classes, dtype, self.buffer_samples)

    def __post_init__(self) -> None:
        check_samples("buffer_samples", self.learner, self.buffer_samples)
        quantization = self.graph.output.quantization
        if quantization is not None and quantization.scales[0] * 255 > MOST_FEATURE:
            raise ValueError(
                f"model: its features have a scale of {quantization.scales[0]:g}; a learner takes "
                f"features up to {MOST_FEATURE:g}, 255 times their scale"
            )
        compiled_classes(self.learner, self.head.classes)
        check_line("name", self.name, LONGEST_TEXT)
        check_line("golden.origin", self.golden.origin, 2 * LONGEST_TEXT)
        for number, name in enumerate(self.class_names):
            check_line(f"class_names[{number}]", name, LONGEST_TEXT)
