"""Which learner Ω gets: the one that was asked for, or the best on validation streams of those that fit."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.learners.base import Learner
from scenarios.auto import Auto
from tinyml_nas.design.omega import Omega, OmegaSize
from tinyml_nas.pipeline import metrics
from tinyml_nas.pipeline.fieldwork import Fieldwork
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.programs import omega_of
from tinyml_nas.study import Study
from tinyml_nas.types import Extractor


@dataclass(frozen=True)
class Choice:
    """A learner, its Ω as it ships and as it starts in the field, and what came of its tuning."""

    name: str
    learner: Learner
    omega: Omega
    started: Omega
    tuned: Metrics

    @property
    def size(self) -> OmegaSize:
        """That of the two which does not fit, if one does not."""
        return (self.omega if not self.omega.size.fits else self.started).size

    @property
    def score(self) -> float:
        """Mean end accuracy on validation streams; 0 where there are none."""
        return float(self.tuned.get("score", 0.0))


def choose(
    study: Study, extractor: Extractor, fieldwork: Fieldwork | None
) -> tuple[Choice, Metrics]:
    """The choice and, where there was one to make, the table behind it.

    The best score wins; of equal ones the program that takes less RAM. Without a scenario the first that
    fits is taken. Where none fits, the first candidate stands for all.
    """
    tried = [
        _tried(study, extractor, fieldwork, name, learner)
        for name, learner in study.learners.items()
    ]
    fitting = [choice for choice in tried if choice.size.fits]
    best = min(fitting or tried[:1], key=lambda one: (-one.score, _ram(one) if one.score else 0))
    if not isinstance(study.learner, Auto):
        return best, {}
    return best, metrics.choice(best.name, [(one.name, one.size, one.tuned) for one in tried])


def _tried(
    study: Study, extractor: Extractor, fieldwork: Fieldwork | None, name: str, learner: Learner
) -> Choice:
    omega = omega_of(study, extractor, learner, study.dataset.class_names)
    if fieldwork is None:
        return Choice(name, learner, omega, omega, {})
    started = fieldwork.omega(learner)
    fits = omega.size.fits and started.size.fits
    tuned = fieldwork.tune(learner, started) if fits else {}
    return Choice(name, learner, omega, started, tuned)


def _ram(choice: Choice) -> int:
    return choice.size.program.memory.ram_bytes
