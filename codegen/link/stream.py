"""A labelled data set sent to a board, sample by sample, and what the board made of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

import numpy as np
import numpy.typing as npt

from codegen.link.chart import chart
from codegen.link.client import Board
from codegen.link.dataset import Samples

RECENT_SHARE = 1 / 32  # as the firmware's moving average
REDRAW_S = 0.2
LINE_EVERY = 100  # samples, where the output is no terminal


@dataclass(frozen=True)
class Step:
    """One sample: ``number`` from 1, and the accuracy so far, each predicted before learning."""

    number: int
    label: int
    prediction: int
    correct: bool
    accuracy: float
    recent: float
    alarm: bool
    saved: bool
    seconds: float


def stream(board: Board, samples: Samples, order: npt.NDArray[np.int64]) -> Iterator[Step]:
    """Let the board learn the samples of ``order``, one after another."""
    right, recent = 0, 0.0
    start = time.monotonic()
    for number, index in enumerate(order.tolist(), 1):
        label = int(samples.labels[index])
        learned = board.learn(samples.images[index], label)
        hit = learned.prediction == label
        right += hit
        recent += (hit - recent) * max(1 / number, RECENT_SHARE)
        yield Step(
            number,
            label,
            learned.prediction,
            hit,
            right / number,
            recent,
            learned.alarm,
            learned.saved,
            round(time.monotonic() - start, 3),
        )


class Picture:
    """Draws the accuracy as it grows; plain lines where the output is no terminal."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self._total, self._out = total, out or sys.stdout
        self._live = self._out.isatty()
        self._steps: list[Step] = []
        self._drawn_lines = 0
        self._last = 0.0

    def __call__(self, step: Step) -> None:
        """Take a step; draw when it is time."""
        self._steps.append(step)
        if self._live and time.monotonic() - self._last > REDRAW_S:
            self._draw()
        elif not self._live and (step.number % LINE_EVERY == 0 or step.alarm):
            self._out.write(f"{self._line(step)}\n")
            self._out.flush()

    def end(self) -> None:
        """Draw the whole."""
        if self._steps:
            self._draw()

    def _draw(self) -> None:
        steps = self._steps
        lines = chart(
            [step.accuracy for step in steps],
            [step.recent for step in steps],
            [step.number for step in steps if step.alarm],
        )
        lines.append(self._line(steps[-1]))
        if self._live and self._drawn_lines:
            self._out.write(f"\x1b[{self._drawn_lines}A\x1b[J")  # up, and clear what was drawn
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()
        self._drawn_lines, self._last = len(lines), time.monotonic()

    def _line(self, step: Step) -> str:
        alarm = "  DRIFT" if step.alarm else ""
        rate = step.number / max(step.seconds, 1e-3)
        left = (self._total - step.number) / rate
        return (
            f"{step.number:>6} of {self._total}  all {100 * step.accuracy:5.1f} %  "
            f"recent {100 * step.recent:5.1f} %  {rate:.1f}/s  {_time(left)} left{alarm}"
        )


def _time(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def run(
    board: Board, samples: Samples, order: npt.NDArray[np.int64], *sinks: Callable[[Step], object]
) -> None:
    """Stream, and give each step to every sink."""
    for step in stream(board, samples, order):
        for sink in sinks:
            sink(step)
