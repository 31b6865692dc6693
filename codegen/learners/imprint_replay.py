"""Replay in which new classes start as their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from codegen.buffers.base import Shape
from codegen.learners.base import FLOAT_BYTES, head_bytes
from codegen.learners.tybox import BufferName, Tybox
from codegen.literals import floating

MOST_IMPRINTS = 1000


@dataclass(frozen=True)
class ImprintReplay(Tybox):
    """TyBox whose new classes start as their mean (weight imprinting: Qi, Brown and Lowe 2018).

    Args:
        imprint_samples: For how many samples of a new class its column is set anew from their mean.
    """

    buffer: BufferName = "per_class"
    imprint_samples: int = 5

    NAME: ClassVar[str] = "ImprintReplay"
    HEADER: ClassVar[str] = "imprint_replay.hpp"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.imprint_samples <= MOST_IMPRINTS:
            raise ValueError(
                f"learner.imprint_samples: must be in 1..{MOST_IMPRINTS}; got {self.imprint_samples}"
            )

    def extra_floats(self, shape: Shape) -> int:
        """A count for each class, and a mean."""
        return shape.classes + shape.features

    def state_bytes(self, shape: Shape) -> int:
        """The head and the counts."""
        return head_bytes(shape) + FLOAT_BYTES * shape.classes

    def layout(self, shape: Shape) -> str:
        """Its own."""
        return f"{self.NAME} {shape.features} {shape.classes}"

    def constants(self) -> Mapping[str, str]:
        """As TyBox, and for how long a class is new."""
        return {**super().constants(), "float kImprintSamples": floating(self.imprint_samples)}
