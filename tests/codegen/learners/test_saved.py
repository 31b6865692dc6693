"""What a learner with statistics knows, through the protocol: saved, cut off in the middle of a save, back again."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.learners.online_lda import OnlineLda
from codegen.link.client import Board
from codegen.link.messages import BoardError, Status
from tests.codegen.learners.conftest import CLASSES, FEATURES, draw
from tests.codegen.link.conftest import Device, build_device

LEARNER = OnlineLda(max_classes=CLASSES)


@pytest.fixture(scope="module")
def built(build, tmp_path_factory):
    made = build(LEARNER)
    output = tmp_path_factory.mktemp("device") / "device.so"
    return made, build_device(made.tree, output, "-shared", "-fPIC")


def learn(board, host, seed) -> None:
    features, labels = draw(8, seed, "int8", CLASSES)
    for sample, label in zip(features, labels, strict=True):
        learned = board.learn(sample.reshape(1, FEATURES, 1), int(label))
        assert learned.prediction == host.predict(sample[np.newaxis])[0]
        host.learn(sample, int(label))


def test_all_of_it_survives_a_power_cut(built) -> None:
    made, library = built
    host, device = made.model, Device(library)
    host.reset()
    board = Board(device, timeout_s=0.01)
    assert (board.hello.learner, board.hello.knobs) == (
        "online_lda",
        ("memory", "covariance_memory"),
    )
    learn(board, host, 1)
    assert board.save() == 1
    saved = host.state()
    np.testing.assert_array_equal(board.state(), saved)
    device.restart()
    board = Board(device, timeout_s=0.01)
    learn(board, host, 2)
    device.library.device_cut_power(60)  # in the middle of the second save
    with pytest.raises(BoardError) as refused:
        board.save()
    assert refused.value.status == Status.STORAGE_FAILED

    device.restart()
    again = Board(device, timeout_s=0.01)
    np.testing.assert_array_equal(again.state(), saved)
    host.reset()
    host.set_state(saved)
    learn(again, host, 3)  # as if nothing had been
    np.testing.assert_array_equal(again.state(), host.state())


def test_knobs_go_by_name_and_keep_their_range(built) -> None:
    made, library = built
    board = Board(Device(library), timeout_s=0.01)
    board.set_knob("covariance_memory", 500.0)
    assert board.stats().knobs == [LEARNER.memory, 500.0]
    with pytest.raises(BoardError, match="outside its range"):
        board.set_knob("memory", 1.0)
    with pytest.raises(ValueError, match="knob: must be one of memory, covariance_memory; got 'x'"):
        board.set_knob("x", 1.0)
    features, _ = draw(1, 4, "int8", CLASSES)
    with pytest.raises(ValueError, match=r"label: must be in 0\.\.6; got 7"):
        board.learn(features[0].reshape(1, FEATURES, 1), CLASSES)
    assert made.model.shape.classes == CLASSES
