"""Bursts of thousands of random bytes, with the options that everybody has: a stream goes on."""

from __future__ import annotations

import random
from unittest import mock

import numpy as np
import pytest

from codegen.link import client
from codegen.link.__main__ import main
from codegen.link.client import Board, NoReply
from codegen.link.framing import encode
from codegen.link.messages import BROKEN_FRAME_REPLY, Status
from codegen.toolchain.host import HostModel
from tests.codegen.link.pseudo import PseudoBoard
from tests.codegen.link.test_device import assert_same_head, samples

LONGEST_BURST_BYTES = 5000
CHUNK_BYTES = 64  # what a USB port hands over at once
BYTES_A_S = 11_520.0


class BurstingLine:
    """A line into which bursts of noise fall, before, inside and after requests and replies.

    Its clock goes on with each byte that passes and with waiting, so that a run can be repeated.
    """

    def __init__(self, device, seed, share=0.5):
        self.device, self.random, self.share = device, random.Random(seed), share
        self.arriving = b""
        self.now_s = 0.0
        self.bursts = 0

    def monotonic(self):
        return self.now_s

    def spoil(self, data):
        if self.random.random() > self.share:
            return data
        self.bursts += 1
        at = self.random.randrange(len(data) + 1)
        lost = self.random.choice((0, 0, self.random.randrange(20)))
        burst = self.random.randbytes(self.random.randint(1, LONGEST_BURST_BYTES))
        return data[:at] + burst + data[at + lost :]

    def write(self, data):
        sent = self.spoil(data)
        self.now_s += len(sent) / BYTES_A_S
        self.arriving += self.spoil(self.device.feed(sent))

    def read(self, timeout_s):
        if not self.arriving:
            self.now_s += timeout_s
            return b""
        chunk, self.arriving = self.arriving[:CHUNK_BYTES], self.arriving[CHUNK_BYTES:]
        self.now_s += len(chunk) / BYTES_A_S
        return chunk


@pytest.fixture
def host(device_project):
    return HostModel(device_project[1])


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_survives_bursts_with_the_default_options(device, host, seed):
    line = BurstingLine(device, seed)
    images, labels = samples(host, 60, seed)
    with mock.patch.object(client, "time", line):
        board = Board(line)
        for image, label in zip(images, labels, strict=True):
            features = host.features(image[np.newaxis])
            assert board.learn(image, label).prediction == host.predict(features)[0]
            host.learn(features[0], int(label))
    assert line.bursts > 40
    assert board.repeats > 20, "noise that breaks nothing shows nothing"
    quiet = Board(device)
    assert_same_head(quiet, host)
    assert quiet.stats().samples == len(images)


def test_stale_replies_take_no_time_from_a_request(device):
    """However many say that something was broken: the request is sent again when they end."""
    board = Board(device)
    sent = []

    def write(frame):
        sent.append(frame)
        stale = encode(BROKEN_FRAME_REPLY, 0, bytes((Status.BROKEN_FRAME,)))
        device.received += stale * random.Random(len(sent)).randint(5, 300)
        if len(sent) > 1:
            device.received += device.feed(frame)

    device.write = write
    assert board.stats().samples == 0
    assert len(sent) == 2


def test_a_line_that_only_makes_noise_is_given_up_in_time(device):
    line = BurstingLine(device, 5)
    with mock.patch.object(client, "time", line):
        board = Board(device)
        board._port = line
        line.spoil = lambda data: line.random.randbytes(LONGEST_BURST_BYTES)
        start = line.now_s
        with pytest.raises(NoReply, match=r"no reply to STATS in 2[56]"):
            board.stats()
    writing = LONGEST_BURST_BYTES / BYTES_A_S * (board.repeats + 1)
    assert line.now_s - start - writing == pytest.approx(25, abs=1)


def test_the_tool_streams_through_bursts(device, tmp_path, monkeypatch):
    """Without any option, over a pseudo-terminal, where time is the clock's."""
    noise = random.Random(11)
    images, labels = np.arange(144, dtype=np.int8).reshape(12, 1, 12, 1), np.arange(12) % 5
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    monkeypatch.chdir(tmp_path)

    def feed(data):
        answer = device.feed(data)
        if noise.random() < 0.3:
            burst = noise.randbytes(noise.randint(500, LONGEST_BURST_BYTES))
            answer += device.feed(burst) + noise.choice((b"", burst))
        return answer

    with PseudoBoard(feed) as board:
        assert main([board.port, "stream", "data.npz"]) == 0
    assert Board(device).stats().samples == len(labels)
