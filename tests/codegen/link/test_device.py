"""The firmware's application, on this computer: every request, every error, noise, power cuts."""

from __future__ import annotations

import random
import struct
import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.emit.emitter import context_of
from codegen.link import client
from codegen.link.client import Board, NoReply
from codegen.link.framing import VERSION, Deframer, encode, stuff, unstuff
from codegen.link.messages import (
    BROKEN_FRAME_REPLY,
    BoardError,
    Message,
    Status,
    WrongVersionError,
)
from codegen.toolchain.host import HostModel
from tests.codegen.link.conftest import Device


@pytest.fixture
def board(device):
    return Board(device, timeout_s=0.01)


@pytest.fixture
def host(device_project):
    return HostModel(device_project[1])


def samples(host, count, seed=1):
    rng = np.random.default_rng(seed)
    images = rng.integers(-128, 128, (count, *host.shape.image)).astype(np.int8)
    return images, rng.integers(0, host.shape.classes, count)


def assert_same_head(board, host):
    for mine, its in zip(board.head(), host.head(), strict=True):
        np.testing.assert_array_equal(mine, its)


def refused(call, *arguments):
    with pytest.raises(BoardError) as error:
        call(*arguments)
    return error.value.status


def exchange(device, frame):
    return Deframer().feed(device.feed(frame))


# --- what is asked -------------------------------------------------------------------------------


def test_hello(device_project, board):
    project, hello = device_project[0], board.hello
    assert hello.image == project.graph.input.shape[1:]
    assert (hello.classes, hello.features) == (project.head.classes, project.head.features)
    assert hello.buffer_samples == project.buffer_samples
    assert hello.class_names == project.class_names
    assert (hello.pixel_dtype, hello.feature_dtype) == (np.int8, np.int8)
    assert hello.pixel_scale == np.float32(project.graph.input.quantization.scales[0])
    assert hello.pixel_zero_point == project.graph.input.quantization.zero_points[0]
    assert hello.can_save
    assert len(hello.digest) == 16
    told = context_of(project)["work"]
    expected = told.milliseconds(told.classify), told.milliseconds(told.learn)
    assert (hello.clock_hz, hello.classify_ms, hello.learn_ms) == (told.hz, *expected)


def test_classify_is_the_hosts(board, host):
    images, _ = samples(host, 20)
    features = host.features(images)
    for image, logits in zip(images, host.logits(features), strict=True):
        answer = board.classify(image)
        np.testing.assert_array_equal(answer.logits, logits)
        assert answer.prediction == logits.argmax()


def test_learning_is_the_hosts_bit_by_bit(board, host):
    images, labels = samples(host, 60)
    right, seen, correct_of, recent = 0, [0] * 5, [0] * 5, 0.0
    for number, (image, label) in enumerate(zip(images, labels, strict=True), 1):
        features = host.features(image[np.newaxis])
        predicted = host.predict(features)[0]
        if number % 2:
            learned = board.learn(image, label)
        else:
            board.classify(image)
            learned = board.learn_last(label)
        assert learned.prediction == predicted
        host.learn(features[0], int(label))
        hit = predicted == label
        right, recent = right + hit, recent + (hit - recent) * max(1 / number, 1 / 32)
        seen[label] += 1
        correct_of[label] += int(hit)
    assert_same_head(board, host)
    stats = board.stats()
    assert (stats.samples, stats.correct) == (60, right)
    assert (list(stats.seen), list(stats.correct_of)) == (seen, correct_of)
    assert stats.recent == pytest.approx(recent, abs=1e-5)
    assert stats.accuracy == right / 60
    assert stats.buffer_count == host.buffer_count
    assert dict(zip(board.hello.knobs, stats.knobs, strict=True)) == host.knobs
    assert stats.unsaved_updates == 60


def test_a_prediction_is_made_with_the_head_as_it_is_before_learning(board, host):
    """Learning one label from one image over and over: the prediction follows the head."""
    images, _ = samples(host, 1)
    board.classify(images[0])
    first = board.learn_last(3).prediction
    predictions = [board.learn_last(3).prediction for _ in range(40)]
    assert predictions[-1] == 3
    assert first != 3 or predictions == [3] * 40


def test_drift_raises_the_alarm_once(board, host):
    """All is right, then the labels of all samples change."""
    board.set_knob("learning_rate", 1e-9)
    images, _ = samples(host, 100)
    labels = host.predict(host.features(images))
    alarms = []
    for number in range(200):
        label = labels[number % 100] if number < 100 else (labels[number % 100] + 1) % 5
        alarms.append(board.learn(images[number % 100], label).alarm)
    stats = board.stats()
    first = alarms.index(True) + 1
    assert 105 < first < 130
    assert stats.alarms == sum(alarms)
    assert stats.last_alarm == max(i for i, alarm in enumerate(alarms, 1) if alarm)


def test_memory_and_timing(board, host, device_project):
    memory = board.memory()
    assert memory.head == 4 * 13 * 5
    assert memory.buffer == 4 * 13
    assert memory.stack_used == 321
    assert memory.ram_of_board == device_project[0].board.ram_bytes
    board.learn(*(x[0] for x in samples(host, 1)))
    timing = board.timing()
    assert (timing.source, timing.extract_ticks, timing.learn_ticks) == ("SysTick", 10, 10)


def test_reset_and_learning_rate(board, host):
    images, labels = samples(host, 5)
    board.set_knob("learning_rate", 0.5)
    assert board.stats().knobs == [0.5]
    board.learn(images[0], labels[0])
    board.reset()
    assert_same_head(board, host)
    stats = board.stats()
    assert (stats.samples, stats.buffer_count, stats.knobs) == (0, 0, list(host.knobs.values()))


# --- what is refused -----------------------------------------------------------------------------


def test_what_is_refused(board, host):
    images, _ = samples(host, 2)
    assert refused(board.learn_last, 0) == Status.NO_IMAGE
    board.classify(images[1])
    assert refused(board.request, Message.LEARN, b"\5" + images[0].tobytes()) == Status.WRONG_LABEL
    assert refused(board.learn_last, 0) == Status.NO_IMAGE, "the last image was refused"
    for rate in (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e30, 1e-40, 1.1e6):
        assert refused(board.set_knob, "learning_rate", rate) == Status.WRONG_VALUE
    assert refused(board.set_autosave, 1) == Status.WRONG_VALUE
    assert refused(board.load) == Status.NOTHING_SAVED
    assert refused(board.request, Message.READ_STATE, struct.pack("<II", 0, 261)) == (
        Status.WRONG_VALUE
    )
    wraps = struct.pack("<II", 0xFFFFFFFF, 2)
    assert refused(board.request, Message.READ_STATE, wraps) == Status.WRONG_VALUE
    assert_same_head(board, host)
    with pytest.raises(ValueError, match=r"label: must be in 0\.\.4; got 5"):
        board.learn(images[0], 5)
    with pytest.raises(ValueError, match=r"image: must be int8 \(1, 12, 1\); got uint8"):
        board.learn(images[0].astype(np.uint8), 0)


@pytest.mark.parametrize("extra", [-1, 1, 4, 5, 1000, 100_000])
def test_a_payload_of_another_length_is_refused(device, board, host, extra):
    images, _ = samples(host, 1)
    right = b"\1" + images[0].tobytes()
    payload = right[:extra] if extra < 0 else right + bytes(range(256)) * (extra // 256 + 1)
    payload = payload if extra < 0 else payload[: len(right) + extra]
    frame = exchange(device, encode(Message.LEARN, 9, payload, board.hello.session))[0]
    assert (frame.message, frame.sequence) == (Message.LEARN | 0x80, 9)
    assert frame.payload == bytes((Status.WRONG_LENGTH,))
    assert_same_head(board, host)


@pytest.mark.parametrize("message", [0, 7, 0x10, 0x19, 0x7F])
def test_an_unknown_request_is_refused(device, message):
    frame = exchange(device, encode(message, 200, b""))[0]
    assert (frame.message, frame.sequence) == (message | 0x80, 200)
    assert frame.payload == bytes((Status.UNKNOWN_MESSAGE,))


@pytest.mark.parametrize(
    "body",
    [
        bytes((1, Message.STATS, 77)),
        bytes((1, Message.LEARN, 77)) + bytes(range(100)),
        bytes((2, Message.STATS, 77, 0)),
        bytes((255, Message.STATS, 77)) + bytes(11),
    ],
)
def test_another_version_is_refused_in_the_layout_of_the_first(device, body):
    """Whose header was version, message, sequence number of one byte."""
    sent = b"\0" + stuff(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"
    answer = unstuff(device.feed(sent).strip(b"\0"))
    content = bytes((VERSION, body[1] | 0x80, 77, Status.WRONG_VERSION))
    assert answer == content + zlib.crc32(content).to_bytes(4, "little")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_board_of_another_version_is_named(device, version):
    def answer(data):
        header = bytes((version, Message.HELLO | 0x80, 5, Status.WRONG_VERSION))
        body = header + zlib.crc32(header).to_bytes(4, "little")
        device.received += b"\0" + stuff(body) + b"\0"

    device.write = answer
    with pytest.raises(
        WrongVersionError, match=rf"speaks version {version} .* this tool version {VERSION}"
    ):
        Board(device, 0.01)


def test_a_reply_of_any_length_is_whole(board, host):
    """The head, read in one piece and byte by byte."""
    total = 4 * 13 * 5
    whole = board.request(Message.READ_STATE, struct.pack("<II", 0, total))
    pieces = [board.request(Message.READ_STATE, struct.pack("<II", i, 1)) for i in range(total)]
    assert b"".join(pieces) == whole
    assert board.request(Message.READ_STATE, struct.pack("<II", total, 0)) == b""


# --- noise ---------------------------------------------------------------------------------------


@given(noise=st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_after_any_noise_the_next_frame_is_understood(device_library, noise):
    device = Device(device_library)
    device.feed(noise)
    frames = exchange(device, encode(Message.STATS, 77, b""))
    *broken, last = frames
    assert all(frame.message == BROKEN_FRAME_REPLY for frame in broken)
    assert (last.message, last.sequence, last.payload[0]) == (Message.STATS | 0x80, 77, 0)


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_a_damaged_request_is_not_carried_out(device_library, device_project, data):
    device = Device(device_library)
    sent = bytearray(encode(Message.LEARN, 5, b"\2" + bytes(range(200, 212)), session=0))
    kind = data.draw(st.sampled_from(["flip", "drop", "insert", "truncate"]))
    at = data.draw(st.integers(1, len(sent) - 2))
    if kind == "flip":
        sent[at] ^= data.draw(st.integers(1, 255))
    elif kind == "drop":
        del sent[at]
    elif kind == "insert":
        byte = data.draw(st.integers(0, 255))
        sent.insert(at, byte)
        if sent.count(0) == 3 and sent[1] == 0:
            return  # one more delimiter in front: not damaged
        if sent[-2] == 0:
            return
    else:
        del sent[at:]
        sent.append(0)
    replies = exchange(device, bytes(sent))
    assert {frame.message for frame in replies} <= {BROKEN_FRAME_REPLY}
    weights, bias = Board(device, 0.01).head()
    np.testing.assert_array_equal(weights, device_project[0].head.weights)
    np.testing.assert_array_equal(bias, device_project[0].head.bias)


class NoisyPort:
    """Loses, damages and invents bytes both ways. Its clock goes on by waiting alone."""

    def __init__(self, device, seed, rate):
        self.device, self.random, self.rate = device, random.Random(seed), rate
        self.now_s = 0.0

    def monotonic(self):
        return self.now_s

    def spoil(self, data):
        out = bytearray()
        for byte in data:
            dice = self.random.random()
            if dice < self.rate / 3:
                continue
            out.append(byte ^ self.random.randrange(1, 256) if dice < 2 * self.rate / 3 else byte)
            if dice > 1 - self.rate / 3:
                out.append(self.random.randrange(256))
        return bytes(out)

    def write(self, data):
        self.device.write(self.spoil(data))

    def read(self, timeout_s):
        received = self.spoil(self.device.read(timeout_s))
        self.now_s += 0.0 if received else timeout_s
        return received


@pytest.mark.parametrize("seed", range(4))
def test_learning_through_noise_is_exact(device, host, seed, monkeypatch):
    """Every sample is learned once, whatever is lost on the way there or back."""
    port = NoisyPort(device, seed, rate=0.006)
    monkeypatch.setattr(client, "time", port)
    board = Board(port)
    images, labels = samples(host, 80)
    for image, label in zip(images, labels, strict=True):
        features = host.features(image[np.newaxis])
        assert board.learn(image, label).prediction == host.predict(features)[0]
        host.learn(features[0], int(label))
    assert board.repeats > 10, "noise that breaks nothing shows nothing"
    assert board.damaged_replies > 3
    assert_same_head(board, host)
    assert board.stats().samples == 80


def test_a_repeated_request_is_answered_again_and_not_carried_out_again(device, board, host):
    images, labels = samples(host, 2)
    payload = bytes((int(labels[0]),)) + images[0].tobytes()
    session = board.hello.session
    frame, again = (encode(Message.LEARN, number, payload, session) for number in (11, 12))
    first, second = exchange(device, frame), exchange(device, frame)
    assert first == second
    host.learn(host.features(images[:1])[0], int(labels[0]))
    assert_same_head(board, host)
    # Asking does not come between a request and its repetition; another sequence number does.
    exchange(device, encode(Message.STATS, 2, b""))
    assert exchange(device, frame) == first
    assert_same_head(board, host)
    exchange(device, again)
    host.learn(host.features(images[:1])[0], int(labels[0]))
    assert_same_head(board, host)
    # What is late, has another content under a used number, or is another session's is refused.
    other = payload[:1] + images[1].tobytes()
    for number, content, begun, status in (
        (11, payload, session, Status.USED_SEQUENCE),
        (12, other, session, Status.USED_SEQUENCE),
        (99, payload, session + 1, Status.WRONG_SESSION),
    ):
        reply = exchange(device, encode(Message.LEARN, number, content, begun))[0]
        assert (reply.session, reply.sequence, reply.payload) == (begun, number, bytes((status,)))
    assert_same_head(board, host)


def test_a_save_that_is_repeated_does_not_wear_the_flash(device, board):
    frame = encode(Message.SAVE, 250, b"", board.hello.session)
    exchange(device, frame)
    erasures = device.library.device_erasures()
    assert exchange(device, frame)[0].payload == b"\0\1\0\0\0"
    assert device.library.device_erasures() == erasures > 0


def test_a_silent_board_is_given_up(device):
    board = Board(device, timeout_s=0.001, tries=3)
    device.write = lambda data: None
    with pytest.raises(NoReply, match=r"no reply to STATS in .* sent [123] times"):
        board.stats()


def test_a_late_reply_is_not_taken_for_another(device, board):
    held = []
    write = device.write

    def late(data):
        write(data)
        held.append(device.received)
        device.received = held.pop(0) if len(held) > 1 else b""

    device.write = late
    assert board.stats().samples == 0
    assert board.memory().stack_used == 321


# --- memory safety -------------------------------------------------------------------------------


def run_pieces(program, pieces):
    content = b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces)
    done = subprocess.run([program], input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers, at = [], 0
    while at < len(done.stdout):
        (length,) = struct.unpack_from("<I", done.stdout, at)
        answers.append(done.stdout[at + 4 : at + 4 + length])
        at += 4 + length
    return answers


def test_no_bytes_at_all_break_the_firmware(device_program):
    """5,000 pieces of noise and of damaged requests under ASan and UBSan; it answers in between."""
    rng = random.Random(7)
    probe = encode(Message.STATS, 1, b"")
    messages = [*Message, 0, 8, 0x7F, 0xFF]
    pieces = []
    for _ in range(5000):
        length = rng.choice([0, 1, 4, 8, 12, 13, 14, 17, 300, 700])
        body = rng.randbytes(length)
        kind = rng.randrange(4)
        if kind == 0:
            piece = body
        else:  # a frame, whole, too long or too short; then damaged
            piece = bytearray(encode(rng.choice(messages), rng.randrange(256), body))
            if kind == 2:
                piece[rng.randrange(len(piece))] = rng.randrange(256)
            if kind == 3:
                del piece[rng.randrange(len(piece)) :]
        pieces += [bytes(piece), probe]
    answers = run_pieces(device_program, pieces)
    for answer in answers[1::2]:
        frame = Deframer().feed(answer)[-1]
        assert (frame.message, frame.sequence, frame.payload[0]) == (Message.STATS | 0x80, 1, 0)


# --- saved heads ---------------------------------------------------------------------------------


def learn_some(board, host, count, seed=1):
    images, labels = samples(host, count, seed)
    for image, label in zip(images, labels, strict=True):
        board.learn(image, label)
        host.learn(host.features(image[np.newaxis])[0], int(label))


def test_a_saved_head_is_there_after_a_restart_and_the_buffer_is_not(device, board, host):
    learn_some(board, host, 10)
    assert board.save() == 1
    saved = [part.copy() for part in host.head()]
    learn_some(board, host, 10, seed=2)
    device.restart()
    again = Board(device, timeout_s=0.01)
    for mine, its in zip(again.head(), saved, strict=True):
        np.testing.assert_array_equal(mine, its)
    stats = again.stats()
    assert (stats.buffer_count, stats.samples, stats.saved_sequence) == (0, 0, 1)
    again.reset()
    host.reset()
    assert_same_head(again, host)
    assert again.load() == 1
    for mine, its in zip(again.head(), saved, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_autosave_saves_every_so_many_samples(device, board, host):
    board.set_autosave(16)
    images, labels = samples(host, 40)
    saved = [board.learn(image, label).saved for image, label in zip(images, labels, strict=True)]
    assert [number for number, flag in enumerate(saved, 1) if flag] == [16, 32]
    stats = board.stats()
    assert (stats.autosave_every, stats.unsaved_updates, stats.saved_sequence) == (16, 8, 2)


def test_a_flash_that_fails_is_reported_and_not_worn_out(device, board, host):
    board.set_autosave(16)
    device.library.device_cut_power(1)  # from the second operation on, the flash refuses all
    images, labels = samples(host, 40)
    learned = [board.learn(image, label) for image, label in zip(images, labels, strict=True)]
    failed = [number for number, result in enumerate(learned, 1) if result.save_failed]
    assert failed == [16, 32]
    assert not any(result.saved for result in learned)
    assert refused(board.save) == Status.STORAGE_FAILED


@pytest.mark.parametrize("operation", [0, 1, 2, 3, 20, 34, 35, 37, 38])
def test_power_is_cut_while_saving(device, board, host, operation):
    """Through the protocol: what a restarted board holds is the old head or the new one."""
    learn_some(board, host, 3)
    board.save()
    device.restart()
    board = Board(device, timeout_s=0.01)
    old = board.head()
    images, labels = samples(host, 3, seed=9)
    for image, label in zip(images, labels, strict=True):
        board.learn(image, label)
    device.library.device_cut_power(operation)
    assert refused(board.save) == Status.STORAGE_FAILED
    device.restart()
    board = Board(device, timeout_s=0.01)
    for mine, its in zip(board.head(), old, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert board.save() == 1  # it is saved already
    board.reset()
    assert board.save() == 2


def test_frames_hold_the_documented_bytes(device):
    """The example of docs/protocol.md."""
    sent = encode(Message.SET_AUTOSAVE, 7, (100).to_bytes(4, "little"), session=0)
    assert sent.hex(" ") == "00 03 04 17 01 01 01 02 07 01 01 02 64 01 01 05 13 3f e2 bf 00"
    assert exchange(device, sent)[0].payload == bytes((Status.OK,))
