"""A learner by itself learns as in the whole program, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen.alone import alone
from codegen.emit.emitter import emit
from codegen.learners.online_lda import OnlineLda
from codegen.learners.statistics import statistics_of
from codegen.learners.tybox import Tybox
from codegen.toolchain.host import HostModel
from tests.codegen.conftest import BOARDS
from tests.support.mobile import CLASSES, FEATURES, mobile_project, to_codes


@pytest.mark.parametrize("learner", [Tybox(buffer="per_class"), OnlineLda()], ids=["sgd", "lda"])
def test_it_learns_the_bits_of_the_whole_program(learner, sample, tmp_path):
    images = sample.split("test").pixels[:12]
    samples = 3 if learner.most_samples else 0
    rng = np.random.default_rng(0)
    labels = np.arange(40) % CLASSES
    statistics = statistics_of(rng.normal(size=(40, FEATURES)), labels, range(CLASSES))
    known = statistics if learner.needs_statistics else None
    whole = mobile_project(BOARDS["cortex-m4"], images[:1], Tybox(), 3)
    whole = replace(whole, learner=learner, buffer_samples=samples, statistics=known)
    output = whole.graph.output
    one = alone(learner, whole.head, output.dtype, output.quantization, samples, whole.board, known)
    models = []
    for name, project in (("whole", whole), ("alone", one)):
        emit(project, tmp_path / name)
        models.append(HostModel(tmp_path / name))
    features = models[0].features(to_codes(images))
    for row, label in zip(features, labels, strict=False):
        for model in models:
            model.learn(row, int(label))
        assert models[0].state().tobytes() == models[1].state().tobytes()
    first, second = (model.logits(features) for model in models)
    assert first.tobytes() == second.tobytes()
    assert models[0].knobs == models[1].knobs
