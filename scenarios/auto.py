"""The choice of a learner that is made by trying all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.learners.base import Learner, name_of


@dataclass(frozen=True, eq=False)
class Auto:
    """The learner that does best on validation streams, of those that fit the bytes that a board leaves.

    Each candidate is tuned by the same procedure, in the scenario and on the streams of the study. Where
    there is no scenario, the first that fits is taken: list them by how much they are trusted.
    """

    candidates: Mapping[str, Learner]

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("learner.candidates: must be at least one learner; there are none")


def candidates_of(learner: Learner | Auto) -> Mapping[str, Learner]:
    """The learners that there are to choose from, by name."""
    return learner.candidates if isinstance(learner, Auto) else {name_of(learner): learner}
