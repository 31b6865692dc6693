"""Which taps and which learner Ω gets: those that were asked for, or the best on validation streams of those that fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.learners.base import Learner
from scenarios.auto import Auto
from tinyml_nas.design.omega import Omega, OmegaSize
from tinyml_nas.design.taps.auto import AutoTaps, candidates_of
from tinyml_nas.design.taps.base import Taps
from tinyml_nas.pipeline import field_metrics
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.pipeline.programs import omega_of
from tinyml_nas.pipeline.variants import Variant
from tinyml_nas.study import Study


@dataclass(frozen=True)
class Choice:
    """A learner, its Ω as it ships and as it starts in the field, and what came of its tuning.

    ``taps`` are known by their name, ``variant`` is what they made of the network.
    """

    taps: str
    variant: Variant
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


def choose(study: Study, variant_of: Callable[[Taps, Learner], Variant]) -> tuple[Choice, Metrics]:
    """The choice and, where there was one to make, the tables behind it: of ``learner`` and of ``taps``.

    The best score wins; of equal ones the program that takes less RAM. Without a scenario the first that
    fits is taken. Where none fits, the first candidate stands for all.
    """
    tried = [
        _tried(study, way, variant_of(taps, learner), name, learner)
        for way, taps in candidates_of(study.taps).items()
        for name, learner in study.learners.items()
    ]
    best = _best(tried)
    tables: Metrics = {}
    if isinstance(study.learner, Auto):
        rows = [one for one in tried if one.taps == best.taps]
        tables["learner"] = field_metrics.choice(
            best.name, [(one.name, one.size, one.tuned) for one in rows]
        )
    if (best.variant.spec and best.variant.spec.taps) or isinstance(study.taps, AutoTaps):
        ways = dict.fromkeys(one.taps for one in tried)
        rows = [_best([one for one in tried if one.taps == way]) for way in ways]
        tables["taps"] = field_metrics.taps(
            best.taps,
            [
                (one.taps, spec, one.name, one.size, one.tuned)
                for one in rows
                if (spec := one.variant.spec)
            ],
        )
    return best, tables


def _best(tried: list[Choice]) -> Choice:
    fitting = [choice for choice in tried if choice.size.fits]
    return min(fitting or tried[:1], key=lambda one: (-one.score, _ram(one) if one.score else 0))


def _tried(study: Study, taps: str, variant: Variant, name: str, learner: Learner) -> Choice:
    omega = omega_of(study, variant.extractor, learner, study.dataset.class_names)
    fieldwork = variant.fieldwork
    if fieldwork is None:
        return Choice(taps, variant, name, learner, omega, omega, {})
    started = fieldwork.omega(learner)
    fits = omega.size.fits and started.size.fits
    tuned = fieldwork.tune(learner, started) if fits else {}
    return Choice(taps, variant, name, learner, omega, started, tuned)


def _ram(choice: Choice) -> int:
    return choice.size.program.memory.ram_bytes
