"""Whatever a line loses, doubles or holds back: a sample is learned once, or the host is told."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.link import client
from codegen.link.client import Board, NoReply
from codegen.link.framing import encode
from codegen.link.messages import BoardError, Message, Status
from codegen.toolchain.host import HostModel
from tests.codegen.link.conftest import Device, build_device
from tests.codegen.link.test_device import assert_same_head, exchange

CLASSES = 16  # each sample of a stream has a class of its own: the board's counts tell them apart
IMAGES = np.random.default_rng(1).integers(-128, 128, (CLASSES, 1, 12, 1)).astype(np.int8)
FATES = ("passes", "passes", "passes", "is lost", "is doubled", "is late", "cuts the power")


@pytest.fixture(scope="module")
def sixteen(emit_identity, tmp_path_factory):
    _, tree = emit_identity(classes=CLASSES, buffer_samples=5)
    library = build_device(
        tree, tmp_path_factory.mktemp("device") / "device.so", "-shared", "-fPIC"
    )
    return library, HostModel(tree)


class Line:
    """A line in both directions: what was held back arrives after something that was sent later."""

    def __init__(self, device, data):
        self.device, self.data = device, data
        self.held, self.held_replies = [], []
        self.received = b""
        self.restarts = 0
        self.now_s = 0.0

    def monotonic(self):
        """The host's clock: waiting alone takes time, so that a run can be repeated exactly."""
        return self.now_s

    def write(self, frame):
        fate = self.data.draw(st.sampled_from(FATES), "request")
        if fate == "cuts the power":
            self.device.restart()
            self.restarts += 1
        elif fate == "is late":
            self.held.append(frame)
        else:
            for _ in range({"passes": 1, "is doubled": 2}.get(fate, 0)):
                self.deliver(frame)
        while self.held and self.data.draw(st.booleans(), "one that was held arrives"):
            at = self.data.draw(st.integers(0, len(self.held) - 1), "which")
            self.deliver(self.held.pop(at))

    def deliver(self, frame):
        reply = self.device.feed(frame)
        fate = self.data.draw(st.sampled_from(FATES[:-1]), "reply")
        if fate == "is late":
            self.held_replies.append(reply)
        else:
            self.received += reply * {"passes": 1, "is doubled": 2}.get(fate, 0)

    def read(self, timeout_s):
        received, self.received = self.received, b""
        if not received and self.held_replies and self.data.draw(st.booleans(), "late reply"):
            return self.held_replies.pop(0)
        self.now_s += 0.0 if received else timeout_s
        return received


def learn(board, image, label, *, at_once):
    if at_once:
        return board.learn(image, label)
    board.classify(image)
    return board.learn_last(label)


@given(data=st.data())
@settings(deadline=None, max_examples=120)
def test_every_sample_is_learned_once_or_the_host_is_told(sixteen, data):
    library, host = sixteen
    device = Device(library)
    line = Line(device, data)
    with mock.patch.object(client, "time", line):
        sure, possible = stream(line, data)
    for frame in line.held:
        device.feed(frame)
    quiet = Board(device, timeout_s=0.1)
    seen = quiet.stats().seen
    assert set(seen) <= {0, 1}
    learned = {label for label, count in enumerate(seen) if count}
    assert sure <= learned <= possible
    host.reset()
    for label in sorted(learned):
        host.learn(host.features(IMAGES[label : label + 1])[0], label)
    assert_same_head(quiet, host)


def stream(line, data):
    """Teach every class its image. What was learned for certain since the power was last cut; and
    what may have been, of which the host was told."""
    board, sure, possible = None, set(), set()
    for label in range(data.draw(st.integers(1, CLASSES), "samples")):
        restarts = line.restarts
        try:
            if board is None or data.draw(st.integers(0, 9), "another host") == 0:
                board = Board(line, timeout_s=1.0, tries=3)
            learn(board, IMAGES[label], label, at_once=data.draw(st.booleans(), "at once"))
            outcome = "learned"
        except (NoReply, BoardError) as error:
            outcome = "told"
            if getattr(error, "status", None) == Status.WRONG_SESSION:
                board = None
        if line.restarts != restarts:  # what was learned before is lost with the power
            sure, possible = set(), set()
        possible.add(label)
        if outcome == "learned" and line.restarts == restarts:  # else before the power was cut
            sure.add(label)
    return sure, possible


def test_a_label_is_for_the_image_that_it_names(sixteen):
    """A CLASSIFY that arrives late, between an image and its label, does not take its place."""
    device, host = Device(sixteen[0]), sixteen[1]
    board = Board(device, timeout_s=0.01)
    images = np.arange(24, dtype=np.int8).reshape(2, 1, 12, 1)
    sent, write = [], device.write
    device.write = lambda frame: (sent.append(frame), write(frame))
    board.classify(images[0])
    board.classify(images[1])
    device.feed(sent[0])
    with pytest.raises(BoardError, match="it has not the image that the label is for") as error:
        board.learn_last(3)
    assert error.value.status == Status.NO_IMAGE
    board.classify(images[1])
    board.learn_last(3)
    host.reset()
    host.learn(host.features(images[1:])[0], 3)
    assert_same_head(board, host)


def test_a_host_that_comes_back_after_a_power_cut_is_told(sixteen):
    """The head and the buffer that it trained are gone: no sample is learned as if they were not."""
    device = Device(sixteen[0])
    board = Board(device, timeout_s=0.01)
    image = np.zeros((1, 12, 1), np.int8)
    board.learn(image, 1)
    device.restart()
    with pytest.raises(BoardError, match="it was started anew, or another host has begun"):
        board.learn(image, 2)
    assert board.stats().samples == 0


def test_an_earlier_hosts_hello_that_arrives_late_does_not_bring_its_session_back(sixteen):
    device = Device(sixteen[0])
    sent, write = [], device.write
    device.write = lambda frame: (sent.append(frame), write(frame))
    first = Board(device, timeout_s=0.01)
    first.learn(np.zeros((1, 12, 1), np.int8), 1)
    second = Board(device, timeout_s=0.01)
    for frame in sent[:2]:
        device.feed(frame)
    assert second.stats().samples == 1
    with pytest.raises(BoardError, match="another host has begun"):
        second.reset()


@given(numbers=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12))
@settings(deadline=None)
def test_numbers_only_rise(sixteen, numbers):
    """Over all of 32 bits: a request is carried out when its number is above all before it."""
    device = Device(sixteen[0])
    last = 0
    for count, number in enumerate(numbers, 1):
        payload = b"\0" + np.float32(count).tobytes()
        reply = exchange(device, encode(Message.SET_KNOB, number, payload))[0]
        assert reply.payload[0] == (Status.OK if number > last else Status.USED_SEQUENCE)
        last = max(last, number)
