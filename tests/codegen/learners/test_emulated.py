"""The same stream on an emulated board: the host's predictions at every step, and its state bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.toolchain import target
from tests.codegen.conftest import BOARDS
from tests.codegen.learners.conftest import CLASSES, FEATURES, draw
from tests.support.needs import needs_board_tools

BUFFER = {"buffer": "balanced_reservoir", "buffer_bits": 4}
LEARNERS = {
    "ncm": Ncm(memory=15.0, max_classes=CLASSES),
    "lda": Lda(memory=15.0, max_classes=CLASSES),
    "online_lda": OnlineLda(memory=15.0, covariance_memory=60.0, max_classes=CLASSES),
    "rls": Rls(memory=80.0, max_classes=CLASSES),
    "imprint_replay": ImprintReplay(max_classes=CLASSES, **BUFFER),
}
"""Cortex-M4 with every learner, M55 with the two that share most code with the others."""
CASES = [("cortex-m4", name) for name in LEARNERS]
CASES += [("cortex-m55", name) for name in ("online_lda", "imprint_replay")]


@needs_board_tools
@pytest.mark.parametrize(("core", "name"), CASES)
def test_board_and_host_learn_the_same_bits(build, tmp_path, core, name) -> None:
    learner = LEARNERS[name]
    built = build(learner, "int8", min(9, learner.most_samples), core)
    built.model.reset()
    features, labels = draw(60, 21, "int8", CLASSES)
    images = features.reshape(-1, 1, FEATURES, 1)
    board = BOARDS[core]
    run = target.run_stream(built.tree, board, tmp_path, built.model.shape, images, labels)
    for sample, label, predicted in zip(features, labels, run.predictions, strict=True):
        assert built.model.predict(sample[np.newaxis])[0] == predicted
        built.model.learn(sample, int(label))
    np.testing.assert_array_equal(run.state, built.model.state())
    assert run.stack_bytes < board.stack_bytes / 2
