"""What a learner takes and generates where it forgets a class that begins to be mistaken."""

from __future__ import annotations

from codegen.buffers.base import Cpp, Shape
from codegen.learners.base import Knob

LEAST_ALARM, MOST_ALARM = 0.5, 1e6
ALARM = 3.0
"""As measured on validation streams (docs/results.md, "When an alarm rings")."""
TEST_BYTES = 16
"""One Page-Hinkley test: a counter, a mean, a sum and its least value."""


def alarm_knobs(alarm: float | None) -> tuple[Knob, ...]:
    """The evidence that is asked for, the last knob; none where there is no alarm.

    It is set, not tuned: a false alarm is dear and too rare for a few streams to show.
    """
    return () if alarm is None else (Knob("alarm", alarm, LEAST_ALARM, MOST_ALARM, (alarm,)),)


def alarm_bytes(alarm: float | None, shape: Shape) -> int:
    """A test for each class."""
    return 0 if alarm is None else TEST_BYTES * shape.classes


def alarm_code(alarm: float | None, name: str) -> tuple[str, ...]:
    """What it adds to the code of the class ``name``."""
    return () if alarm is None else (f"{name} alarm",)


def reacting(alarm: float | None, learner: Cpp) -> Cpp:
    """The learner's class, within the one that watches it where there is an alarm."""
    if alarm is None:
        return learner
    headers = ("learners/reacting.hpp", *learner.headers)
    return Cpp(headers, f"Reacting<Config, {learner.type}>")
