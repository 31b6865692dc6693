"""First in, first out."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.buffers.base import COUNTER_BYTES, LABEL_BYTES, Cpp, Shape


@dataclass(frozen=True)
class Fifo:
    """The buffer B of TyBox (Pavan et al. 2023): the last N_B samples."""

    def sample_bytes(self, shape: Shape) -> int:
        """Features as they are, and a label."""
        return shape.feature_bytes + LABEL_BYTES

    def state_bytes(self, shape: Shape) -> int:
        """Where the next sample goes, and how many there are."""
        return 2 * COUNTER_BYTES

    def cpp(self) -> Cpp:
        """Its class."""
        return Cpp(
            ("buffers/fifo.hpp",),
            "Fifo<Config::Feature, Config::kFeatures, Config::kBufferSamples>",
        )
