"""What a scenario drives: the generated program, built for the host (``codegen.toolchain.host.HostModel``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.generic]
"""Features ψ in the extractor's own dtype, int8 codes or float32: (N, F), or (F,) for one sample."""
Labels = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""


class Driver(Protocol):
    """The learning part of the program. Φ_f is fixed: its features are given to it as they are."""

    def reset(self) -> None:
        """Go back to what was shipped: its head, its knobs, an empty buffer."""

    def set_knob(self, name: str, value: float) -> None:
        """Learn with another value than the one baked in, until ``reset``."""

    def learn(self, features: Features, label: int) -> None:
        """Take one labelled sample (F,) and train."""

    def predict(self, features: Features) -> npt.NDArray[np.integer]:
        """Classify features (N, F) as labels (N,)."""
