"""Learners of the generated program: how many samples it keeps, and how it trains on them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from codegen.project import LearnerSettings, Loss, check_passes, check_rate


class Learner(Protocol):
    """What ``conf/learner`` chooses.

    ``learning_rates`` is the grid, ascending, from which the rate is picked on validation data.
    """

    @property
    def learning_rates(self) -> tuple[float, ...]:
        """Learning rates to try, ascending."""

    def settings(self, buffer_samples: int, learning_rate: float) -> LearnerSettings:
        """Settings of the generated program where Ω has room for ``buffer_samples`` (N_B)."""


@dataclass(frozen=True)
class Tybox:
    """TyBox (Pavan et al. 2023): replay of the last N_B samples, first in first out.

    On every labelled sample: push, then ``passes`` passes of SGD over the whole buffer.
    """

    learning_rates: tuple[float, ...]
    passes: int = 1
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        _check(self.learning_rates, self.passes)

    def settings(self, buffer_samples: int, learning_rate: float) -> LearnerSettings:
        """Use all of the buffer."""
        return LearnerSettings(buffer_samples, learning_rate, self.passes, self.loss)


@dataclass(frozen=True)
class TinyOL:
    """TinyOL (Ren et al. 2021): SGD on the latest labelled sample only.

    The same program as TyBox's with a buffer of one, and by default under the same loss.
    """

    learning_rates: tuple[float, ...]
    passes: int = 1
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        _check(self.learning_rates, self.passes)

    def settings(self, buffer_samples: int, learning_rate: float) -> LearnerSettings:
        """Use one sample of the buffer, however large it could be."""
        if buffer_samples < 1:
            raise ValueError(f"buffer_samples: must be at least 1; got {buffer_samples}")
        return LearnerSettings(1, learning_rate, self.passes, self.loss)


def _check(learning_rates: tuple[float, ...], passes: int) -> None:
    rising = all(a < b for a, b in pairwise(learning_rates))
    if not learning_rates or not rising:
        raise ValueError(
            "learner.learning_rates: must be positive and ascending, at least one; "
            f"got {list(learning_rates)}"
        )
    for rate in learning_rates:
        check_rate("learner.learning_rates", rate)
    check_passes(passes)
