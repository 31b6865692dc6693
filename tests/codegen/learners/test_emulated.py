"""The same stream on an emulated board: the host's predictions at every step, and its state bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.learners.tybox import Tybox
from codegen.toolchain import target
from tests.codegen.conftest import BOARDS
from tests.codegen.learners.conftest import (
    CLOSED_FORMS,
    FEATURES,
    IMPRINT,
    IMPRINT_SAMPLES,
    draw,
)
from tests.support.needs import needs_board_tools

CASES = {name: (learner, dtype, 0) for name, (learner, dtype) in CLOSED_FORMS.items()}
CASES |= {"imprint_replay": (IMPRINT, "int8", IMPRINT_SAMPLES)}
CASES |= {"tybox, in turn": (Tybox(0.5, replayed=5, buffer="reservoir", buffer_bits=4), "int8", 13)}


@needs_board_tools
@pytest.mark.parametrize(
    ("core", "name"), [*(("cortex-m4", name) for name in CASES), ("cortex-m55", "online_lda")]
)
def test_board_and_host_learn_the_same_bits(build, tmp_path, core, name) -> None:
    """On a Cortex-M4 every learner, on an M55 the one that has most of what the others have."""
    learner, dtype, samples = CASES[name]
    built = build(learner, dtype, samples, core)
    built.model.reset()
    features, labels = draw(60, 21, dtype, built.project.classes)
    images = features.reshape(-1, 1, FEATURES, 1)
    board = BOARDS[core]
    run = target.run_stream(built.tree, board, tmp_path, built.model.shape, images, labels)
    for sample, label, predicted in zip(features, labels, run.predictions, strict=True):
        assert built.model.predict(sample[np.newaxis])[0] == predicted
        built.model.learn(sample, int(label))
    np.testing.assert_array_equal(run.state, built.model.state())
    assert run.stack_bytes < board.stack_bytes / 2
