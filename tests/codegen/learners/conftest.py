"""One build for each learner, shared by all that is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from codegen.emit.emitter import emit
from codegen.learners.base import Learner
from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.learners.statistics import Statistics, statistics_of
from codegen.project import Project
from codegen.toolchain.host import HostModel
from tests.codegen.conftest import SCALE, ZERO_POINT, identity_project

FEATURES, KNOWN, CLASSES = 12, 5, 7
"""Two of the classes are yet to come."""
SHRINKAGE = 0.02
CLOSED_FORMS = {
    "ncm": (Ncm(memory=15.0, prior_samples=4.0, max_classes=CLASSES), "float32"),
    "lda": (
        Lda(memory=15.0, prior_samples=4.0, shrinkage=SHRINKAGE, max_classes=CLASSES, alarm=1.5),
        "int8",
    ),
    "online_lda": (
        OnlineLda(
            memory=15.0,
            prior_samples=4.0,
            shrinkage=SHRINKAGE,
            covariance_memory=60.0,
            max_classes=CLASSES,
            alarm=1.5,
        ),
        "float32",
    ),
    "rls": (
        Rls(memory=80.0, prior_samples=30.0, shrinkage=SHRINKAGE, max_classes=CLASSES, alarm=1.5),
        "int8",
    ),
}
IMPRINT, IMPRINT_SAMPLES = (
    ImprintReplay(learning_rate=0.5, max_classes=CLASSES, imprint_samples=2, alarm=1.5),
    13,
)


class Alarm:
    """The Page-Hinkley test of each class, from its formula, over what an oracle mistakes; None never rings."""

    def __init__(self, evidence: float | None) -> None:
        self.evidence = evidence
        self.results = {c: [] for c in range(CLASSES)}
        self.expected = dict.fromkeys(range(KNOWN), (10, 1.0))
        self.rang = 0

    def rings(self, label: int, mistaken: bool) -> bool:
        """Whether a sample of ``label`` says that the class means something else now."""
        if self.evidence is None:
            return False
        results = self.results[label]
        results.append(float(mistaken))
        before, wrong = self.expected.get(label, (0, 0.0))
        means = (wrong + np.cumsum(results)) / (before + np.arange(1, len(results) + 1))
        sums = np.cumsum(np.array(results) - means - 0.2)
        if sums[-1] - min(0.0, sums.min()) <= self.evidence:
            return False
        results.clear()
        self.expected.pop(label, None)
        self.rang += 1
        return True

    def learn(self, oracle, x: np.ndarray, label: int) -> None:
        """As ``Reacting`` does: learn; then, where it rang, forget the class and learn once more."""
        mistaken = int(np.argmax(np.nan_to_num(oracle.logits(x[np.newaxis])[0]))) != label
        oracle.learn(x, label)
        if self.rings(label, mistaken):
            oracle.forget(label)
            oracle.learn(x, label)


@dataclass(frozen=True, eq=False)
class Built:
    """An emitted project around an extractor that does nothing, and its library."""

    project: Project
    tree: Path
    model: HostModel

    def real(self, features: np.ndarray) -> np.ndarray:
        """Features as the learner sees them, in float64."""
        if self.project.graph.output.dtype == "float32":
            return features.astype(np.float64)
        scale = float(np.float32(SCALE))
        return scale * (features.astype(np.float64) - ZERO_POINT)


def draw(count: int, seed: int, dtype: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples (N, F) of classes that lie apart, features of different sizes and one that never changes."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(5).normal(0, 25, (CLASSES, FEATURES))
    labels = rng.integers(0, classes, count)
    mixed = rng.normal(0, 15, (count, FEATURES)) @ np.random.default_rng(6).normal(
        0, 0.5, (FEATURES, FEATURES)
    )
    codes = np.clip(np.rint(centres[labels] + mixed), -128, 127)
    codes[:, 3] = 17
    return (codes if dtype == "int8" else codes / 7).astype(dtype), labels


def moments(dtype: str) -> Statistics:
    """Of what the factory saw."""
    features, labels = draw(400, 1, dtype, KNOWN)
    real = features.astype(np.float64)
    if dtype == "int8":
        real = float(np.float32(SCALE)) * (real - ZERO_POINT)
    return statistics_of(real, labels, range(KNOWN))


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Built]:
    """``build(learner, dtype, buffer_samples, core)``, once for each."""

    @cache
    def made(learner: Learner, dtype: str, buffer_samples: int, core: str) -> Built:
        project = identity_project(
            features=FEATURES,
            classes=KNOWN,
            buffer_samples=buffer_samples,
            dtype=dtype,
            core=core,
            learner=learner,
            statistics=moments(dtype) if learner.needs_statistics else None,
        )
        inputs, _ = draw(2, 3, dtype, KNOWN)
        golden = replace(project.golden, inputs=inputs.reshape(2, 1, FEATURES, 1), features=inputs)
        project = replace(project, golden=golden)
        tree = tmp_path_factory.mktemp("learners") / "project"
        emit(project, tree)
        return Built(project, tree, HostModel(tree))

    def make(
        learner: Learner,
        dtype: str = "int8",
        buffer_samples: int = 0,
        core: str = "cortex-m4",
    ) -> Built:
        return made(learner, dtype, buffer_samples, core)

    return make
