"""Replay of a buffer by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

from codegen.buffers.balanced_reservoir import BalancedReservoir
from codegen.buffers.base import PACKED_BITS, WHOLE_BITS, Buffer, Cpp, Shape
from codegen.buffers.fifo import Fifo
from codegen.buffers.per_class import PerClass
from codegen.buffers.reservoir import Reservoir
from codegen.learners.alarm import alarm_bytes, alarm_code, alarm_knobs, reacting
from codegen.learners.base import (
    FLOAT_BYTES,
    UNBOUNDED,
    Factory,
    Floats,
    Knob,
    check_classes,
    check_knobs,
    head_bytes,
    opened,
    parts,
)
from codegen.learners.statistics import Statistics
from codegen.limits import LEAST_RATE, MOST_RATE, check_passes, check_rate, check_replayed

Loss = Literal["cross_entropy", "squared_error"]
BufferName = Literal["fifo", "per_class", "reservoir", "balanced_reservoir"]
BUFFERS: Mapping[str, Callable[[int], Buffer]] = {
    "fifo": Fifo,
    "per_class": PerClass,
    "reservoir": Reservoir,
    "balanced_reservoir": BalancedReservoir,
}
LEARNING_RATE = 3.0
LENGTH_FLOATS = 2
"""The features' mean squared length, and of how many samples."""
LOSSES: Mapping[str, str] = {
    "cross_entropy": "Loss::kCrossEntropy",
    "squared_error": "Loss::kSquaredError",
}


@dataclass(frozen=True)
class Tybox:
    """TyBox (Pavan et al. 2023): replay of the N_B samples of a buffer.

    On every labelled sample: push, then ``passes`` passes of SGD over the buffer.

    Args:
        learning_rate: Of a pass over the buffer, in units of the features' mean squared length
            (``runtime/learners/replay.hpp``): one rate for features and buffers of any size.
        learning_rates: Rates to try on validation streams, ascending; empty for ``learning_rate`` alone.
        passes: Over the buffer, for every label.
        replayed: Samples of the buffer that a pass goes through, in turn, the new one among them, so that a label
            takes no longer however large the buffer is; None for all.
        loss: What a step lowers.
        buffer: Which samples are kept.
        buffer_bits: Of a feature in the buffer: 8, or 4 for twice as many samples of int8 features.
        max_classes: Classes that are compiled in, None for those of the first head.
        alarm: Mistakes, beyond what is usual for a class, after which it is taken as new and its samples
            leave the buffer; None never.
    """

    learning_rate: float = LEARNING_RATE
    learning_rates: tuple[float, ...] = ()
    passes: int = 1
    replayed: int | None = None
    loss: Loss = "cross_entropy"
    buffer: BufferName = "fifo"
    buffer_bits: int = WHOLE_BITS
    max_classes: int | None = None
    alarm: float | None = None

    NAME: ClassVar[str] = "Tybox"
    HEADER: ClassVar[str] = "tybox.hpp"

    def __post_init__(self) -> None:
        check_rate("learner.learning_rate", self.learning_rate)
        if not all(a < b for a, b in pairwise(self.learning_rates)):
            raise ValueError(
                "learner.learning_rates: must be positive and ascending; "
                f"got {list(self.learning_rates)}"
            )
        for rate in self.learning_rates:
            check_rate("learner.learning_rates", rate)
        check_passes(self.passes)
        check_replayed(self.replayed)
        for key, allowed in (("loss", LOSSES), ("buffer", BUFFERS)):
            if getattr(self, key) not in allowed:
                raise ValueError(
                    f"learner.{key}: must be one of {', '.join(allowed)}; got {getattr(self, key)!r}"
                )
        if self.buffer_bits not in (WHOLE_BITS, PACKED_BITS):
            raise ValueError(
                f"learner.buffer_bits: must be {WHOLE_BITS} or {PACKED_BITS}; got {self.buffer_bits}"
            )
        check_classes(self.max_classes)
        check_knobs(self.knobs())

    @property
    def most_samples(self) -> int:
        """All that there is room for."""
        return UNBOUNDED

    def ram(self, shape: Shape) -> Mapping[str, int]:
        """The head; the buffer; its counters, the learning rate, the features' length, and whose turn it is."""
        samples = shape.buffer_samples * self.sample_bytes(shape)
        numbers = len(self.knobs()) + LENGTH_FLOATS + self.extra_floats(shape)
        numbers += self.replayed is not None
        rest = FLOAT_BYTES * numbers + self._buffer.state_bytes(shape)
        rest += alarm_bytes(self.alarm, shape)
        return parts(head_bytes(shape), samples, rest)

    def extra_floats(self, shape: Shape) -> int:
        """Numbers beside the head that a plain replay does not have."""
        return 0

    def state_bytes(self, shape: Shape) -> int:
        """The head."""
        return head_bytes(shape)

    def layout(self, shape: Shape) -> str:
        """A head: any learner that has nothing else may go on from it."""
        return f"head {shape.features} {shape.classes}"

    def sample_bytes(self, shape: Shape) -> int:
        """As the buffer keeps it."""
        return self._buffer.sample_bytes(shape)

    def flash(self, shape: Shape) -> int:
        """None."""
        return 0

    def constant_bytes(self, shape: Shape) -> int:
        """None."""
        return 0

    @property
    def needs_statistics(self) -> bool:
        """The head is enough."""
        return False

    def factory(
        self, weights: Floats, bias: Floats, classes: int, statistics: Statistics | None
    ) -> Factory:
        """The head as it was trained."""
        return opened(weights, bias, classes)

    def cpp(self) -> Cpp:
        """Its class."""
        buffer = self._buffer.cpp()
        header, name = self.HEADER, self.NAME
        own = Cpp((f"learners/{header}", *buffer.headers), f"{name}<Config, {buffer.type}>")
        return reacting(self.alarm, own)

    def multiply_adds(self, shape: Shape) -> int:
        """Logits and gradient of each sample that is replayed."""
        samples = min(shape.buffer_samples, self.replayed or shape.buffer_samples)
        return samples * self._sample_multiply_adds(shape)

    def within(self, shape: Shape, multiply_adds: int) -> Mapping[str, int]:
        """How many samples may be replayed."""
        return {"replayed": max(1, multiply_adds // self._sample_multiply_adds(shape))}

    def _sample_multiply_adds(self, shape: Shape) -> int:
        return 2 * self.passes * shape.features * shape.classes

    def code(self) -> tuple[str, ...]:
        """Its class, the buffer's, and what takes turns."""
        buffer = f"{self.buffer} {self.buffer_bits}"
        turns = () if self.replayed is None else (f"{self.NAME} replayed",)
        return self.NAME, buffer, *turns, *alarm_code(self.alarm, self.NAME)

    def constants(self) -> Mapping[str, str]:
        """Passes, how many samples each goes through (0: all), and loss."""
        return {
            "int kPasses": str(self.passes),
            "int kReplayed": str(self.replayed or 0),
            "Loss kLoss": LOSSES[self.loss],
        }

    def knobs(self) -> tuple[Knob, ...]:
        """The learning rate, and the alarm."""
        grid = self.learning_rates or (self.learning_rate,)
        rate = Knob("learning_rate", self.learning_rate, LEAST_RATE, MOST_RATE, grid)
        return (rate, *alarm_knobs(self.alarm))

    @property
    def _buffer(self) -> Buffer:
        return BUFFERS[self.buffer](self.buffer_bits)
