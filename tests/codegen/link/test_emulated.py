"""The host's tool and the firmware on emulated boards, over a pseudo-terminal."""

from __future__ import annotations

import csv
import json
import random
import struct
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from codegen.boards.clocks import RESET_CLOCK
from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from codegen.link.client import Board
from codegen.link.framing import Deframer, encode
from codegen.link.messages import BoardError, Message, Status
from codegen.link.port import PortError, SerialPort
from codegen.toolchain.host import HostModel
from tests.codegen.conftest import BOARDS
from tests.codegen.link.emulated import Emulator, Noise, build_firmware
from tests.support.mobile import CLASSES, mobile_project, to_codes
from tests.support.needs import needs_board_tools

pytestmark = needs_board_tools
TIMEOUT_S = 3.0


def build(emit_identity, core, folder):
    """A project whose image is 12 bytes, and its firmware for the emulated board."""
    project, tree = emit_identity(core=core)
    return project, tree, build_firmware(tree, folder)


@pytest.fixture(scope="module", params=sorted(BOARDS))
def built_for_each(request, emit_identity, tmp_path_factory):
    return build(emit_identity, request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def built(emit_identity, tmp_path_factory):
    return build(emit_identity, "cortex-m4", tmp_path_factory.mktemp("m4"))


def emulate(built, folder):
    return Emulator(built[0].board.emulator, built[2], folder)


def samples(host, count, seed=1):
    rng = np.random.default_rng(seed)
    images = rng.integers(-128, 128, (count, *host.shape.image)).astype(np.int8)
    return images, rng.integers(0, host.shape.classes, count)


def assert_same_head(mine, its):
    np.testing.assert_array_equal(mine[0], its[0])
    np.testing.assert_array_equal(mine[1], its[1])


def learn_both(board, host, images, labels):
    for image, label in zip(images, labels, strict=True):
        features = host.features(image[np.newaxis])
        assert board.learn(image, int(label)).prediction == host.predict(features)[0]
        host.learn(features[0], int(label))


def test_a_board_learns_the_hosts_bits(built_for_each, tmp_path):
    built = built_for_each
    host = HostModel(built[1])
    images, labels = samples(host, 60)
    with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        board = Board(port, TIMEOUT_S)
        logits = host.logits(host.features(images[:1]))[0]
        np.testing.assert_array_equal(board.classify(images[0]).logits, logits)
        learn_both(board, host, images, labels)
        assert_same_head(board.head(), host.head())
        stats, memory, timing = board.stats(), board.memory(), board.timing()
        if board.hello.can_save:
            assert board.save() == 1
        assert board.repeats == 0
    if board.hello.can_save:
        with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
            assert_same_head(Board(port, TIMEOUT_S).head(), host.head())
    assert stats.samples == sum(stats.seen) == 60
    assert 100 < memory.stack_used < memory.stack
    assert memory.stack == built[0].board.stack_bytes
    # QEMU has no CYCCNT: the timer stands in, and nothing hangs or divides by it.
    assert timing.source == "SysTick"
    assert 0 < timing.learn_ticks < 2**31


def test_what_is_not_finite_is_refused_on_a_board(emit_identity, tmp_path):
    """A network of reals on a Cortex-M4: the head, the counts and the flash are as they were."""
    project, tree = emit_identity(dtype="float32", learning_rate=1e-3)
    program = build_firmware(tree, tmp_path / "build")
    host = HostModel(tree)
    rng = np.random.default_rng(1)
    images = rng.normal(0, 1, (8, *host.shape.image)).astype(np.float32)
    with (
        Emulator(project.board.emulator, program, tmp_path) as emulator,
        closing(SerialPort(emulator.port)) as port,
    ):
        board = Board(port, TIMEOUT_S)
        assert board.save() == 1
        for number, value in enumerate((np.nan, np.inf, -np.inf, 3e38, 1.1e6, 1e-40, 1e6, -1e30)):
            image = images[number].copy()
            image[0, number, 0] = value
            if abs(value) <= 1e6:
                learn_both(board, host, [image], [number % 5])
                continue
            before = board.stats()
            for refused in (lambda image=image: board.learn(image, 1), lambda: board.learn_last(1)):
                with pytest.raises(BoardError) as error:
                    refused()
                assert error.value.status in (Status.WRONG_SAMPLE, Status.NO_IMAGE)
            assert board.stats() == before
            learn_both(board, host, [images[number]], [number % 5])
        for rate in (np.nan, np.inf, 0.0, -1.0, 1e-40):
            with pytest.raises(BoardError, match="the value is outside its range"):
                board.set_knob("learning_rate", rate)
        assert board.stats().knobs == list(host.knobs.values())
        assert_same_head(board.head(), host.head())
        assert np.isfinite(board.head()[0]).all()
        assert board.save() == 2


def test_noise_truncated_and_endless_frames_change_nothing(built, tmp_path):
    host = HostModel(built[1])
    images, labels = samples(host, 25)
    with emulate(built, tmp_path) as emulator, Noise(emulator.port, 0.006, seed=3) as noise:
        with closing(SerialPort(noise.port)) as port:
            board = Board(port, timeout_s=0.3)
            session = board.hello.session
            whole = encode(Message.LEARN, 10_000, b"\1" + images[0].tobytes(), session)
            for number, (image, label) in enumerate(zip(images, labels, strict=True)):
                learn_both(board, host, [image], [label])
                if number % 8 == 1:
                    port.write(random.Random(number).randbytes(60))
                if number % 8 == 3:
                    port.write(whole[: 5 + number // 2])  # never ended
                if number % 8 == 5:
                    port.write(encode(Message.LEARN, 10_001, b"\1" + bytes(500), session))
            assert_same_head(board.head(), host.head())
            assert board.stats().samples == len(images)
        assert noise.damages > 5
        assert board.repeats > 2


def test_a_killed_board_comes_back_with_the_saved_head(built, tmp_path):
    host = HostModel(built[1])
    images, labels = samples(host, 8)
    with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        board = Board(port, TIMEOUT_S)
        with pytest.raises(BoardError, match="nothing valid of this model is saved"):
            board.load()
        learn_both(board, host, images, labels)
        assert board.save() == 1
        board.learn(images[0], 0)
    with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        board = Board(port, TIMEOUT_S)
        assert_same_head(board.head(), host.head())
        stats = board.stats()
        assert (stats.saved_sequence, stats.buffer_count) == (1, 0)


def save_is_cut(built, folder, cut):
    """Starts the board, learns, and saves while ``cut(emulator, port, session)`` ends it: the old head
    and the new one, as they were in the board's RAM."""
    with emulate(built, folder) as emulator, closing(SerialPort(emulator.port)) as port:
        board = Board(port, TIMEOUT_S)
        old = board.head()
        image = np.random.default_rng(3).integers(-128, 128, board.hello.image).astype(np.int8)
        for label in range(3):
            board.learn(image, label)
        new = board.head()
        assert not np.array_equal(old[0], new[0])
        cut(emulator, port, board.hello.session)
    return old, new


def same(mine, its):
    return all(np.array_equal(a, b) for a, b in zip(mine, its, strict=True))


@pytest.mark.parametrize("operation", [0, 1, 2, 17, 33, 34, 36, 37])
def test_power_is_cut_at_one_operation_of_a_save(built, tmp_path, operation):
    """An erase of 4096 bytes, 33 units of 8 bytes for the head of 260, four for the header."""

    def save(emulator, port, session):
        with suppress(PortError):  # it may be gone before the last byte is acknowledged
            port.write(encode(Message.SAVE, 100, b"", session))
        emulator.process.wait(timeout=10)  # it ended by itself, in the middle of the operation

    (tmp_path / "flash.bin").write_bytes(b"\xff" * 8192)
    with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        Board(port, TIMEOUT_S).save()
    (tmp_path / "power_cut.bin").write_bytes(struct.pack("<I", operation))
    old, _ = save_is_cut(built, tmp_path, save)
    (tmp_path / "power_cut.bin").unlink()
    with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        board = Board(port, TIMEOUT_S)
        assert same(board.head(), old)
        assert board.stats().saved_sequence == 1
        assert board.save() == 1  # what is saved already is not written again
        board.reset()
        images, labels = samples(HostModel(built[1]), 3)
        for image, label in zip(images, labels, strict=True):
            board.learn(image, int(label))
        assert board.save() == 2  # and it can be saved again


def test_the_emulator_is_killed_while_it_saves(built, tmp_path):
    """SIGKILL at different moments of saves that follow one another, each of another head.

    What was acknowledged last, or what was saved after it, is there, whole and under its number.
    """
    host = HostModel(built[1])
    images, labels = samples(host, 40)
    heads, requests = [], []
    for image, label in zip(images, labels, strict=True):
        host.learn(host.features(image[np.newaxis])[0], int(label))
        heads.append(tuple(part.copy() for part in host.head()))
        requests += [(Message.LEARN, bytes((label,)) + image.tobytes()), (Message.SAVE, b"")]
    assert not any(same(one, other) for one, other in pairwise(heads))
    found = []
    for acknowledged in (1, 4, 9, 16):
        (tmp_path / "flash.bin").unlink(missing_ok=True)
        with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
            session = Board(port, TIMEOUT_S).hello.session
            port.write(
                b"".join(
                    encode(message, 100 + number, payload, session)
                    for number, (message, payload) in enumerate(requests)
                )
            )
            deframer, replies = Deframer(), 0
            while replies < 2 * acknowledged:
                arrived = port.read(TIMEOUT_S)
                assert arrived, "the board is silent"
                replies += len(list(deframer.feed(arrived)))
            emulator.kill()
        with emulate(built, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
            board = Board(port, TIMEOUT_S)
            found.append(board.stats().saved_sequence)
            assert acknowledged <= found[-1] <= len(heads)
            assert_same_head(board.head(), heads[found[-1] - 1])
    assert min(found) < len(heads), "never killed before the last save"


def test_real_images_through_a_real_network(sample, tmp_path):
    """A MobileNetV3 of 32x32x3: 3 KB an image, straight into the arena."""
    pixels = sample.split("test").pixels[:3]
    project = mobile_project(BOARDS["cortex-m4"], pixels, Tybox(0.002), 7)
    emit(project, tmp_path / "project")
    host = HostModel(tmp_path / "project")
    program = build_firmware(tmp_path / "project", tmp_path / "build")
    with (
        Emulator(project.board.emulator, program, tmp_path) as emulator,
        closing(SerialPort(emulator.port)) as port,
    ):
        board = Board(port, TIMEOUT_S)
        learn_both(board, host, to_codes(pixels), np.arange(3) % CLASSES)
        assert_same_head(board.head(), host.head())
        assert board.repeats == 0


def test_the_firmware_of_a_nucleo_board_answers_on_its_usart(make_identity, tmp_path):
    """On an STM32F405, whose USART is an STM32F446's, but for its clocks, which QEMU does not model.
    Its flash cannot be written: the driver of the flash finds that nothing was saved."""
    project = make_identity()
    assert project.board.name == "nucleo_f446re"
    project = replace(project, board=replace(project.board, clock=RESET_CLOCK))
    emit(project, tmp_path / "project")
    program = build_firmware(tmp_path / "project", tmp_path / "build", emulated=False)
    host = HostModel(tmp_path / "project")
    images, labels = samples(host, 10)
    with (
        Emulator("netduinoplus2", program, tmp_path, "null", "pty") as emulator,
        closing(SerialPort(emulator.port)) as port,
    ):
        board = Board(port, TIMEOUT_S)
        learn_both(board, host, images, labels)
        with pytest.raises(BoardError, match="the flash refused"):
            board.save()
        assert_same_head(board.head(), host.head())


def test_the_tool_streams_a_data_set_and_logs_it(built, tmp_path):
    host = HostModel(built[1])
    rng = np.random.default_rng(4)
    centres = rng.integers(-90, 90, (5, *host.shape.image))
    labels = rng.integers(0, 5, 120)
    images = np.clip(centres[labels] + rng.normal(0, 30, (120, 1, 12, 1)), -128, 127)
    images = images.astype(np.int8)
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    tool = [sys.executable, "-m", "codegen.link"]
    with emulate(built, tmp_path) as emulator:
        stream = ["stream", "data.npz", "--count", "100", "--csv", "run.csv", "--json", "run.json"]
        done = subprocess.run(
            [*tool, emulator.port, *stream, "--autosave", "50"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert done.returncode == 0, done.stderr
        assert "warning: at a save every" in done.stderr  # twice in seconds
        with closing(SerialPort(emulator.port)) as port:
            board = Board(port, TIMEOUT_S)
            head, stats = board.head(), board.stats()
    right = 0
    with (tmp_path / "run.csv").open() as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        features = host.features(images[number : number + 1])
        predicted = int(host.predict(features)[0])
        right += predicted == labels[number]
        assert (int(row["prediction"]), int(row["label"])) == (predicted, labels[number])
        assert float(row["accuracy"]) == pytest.approx(right / (number + 1))
        host.learn(features[0], int(labels[number]))
    assert_same_head(head, host.head())
    assert [number for number, row in enumerate(rows, 1) if row["saved"] == "1"] == [50, 100]
    assert stats.saved_sequence == 2
    log = json.loads((tmp_path / "run.json").read_text())
    assert log["stats"]["correct"] == right
    assert len(log["steps"]) == 100
    assert log["steps"][-1]["recent"] == pytest.approx(log["stats"]["recent"], abs=1e-4)
    assert right > 60, "nothing was learned"
    assert "100 of 100" in done.stdout
    assert "● recent" in done.stdout


def test_the_tools_single_commands(built, tmp_path, capsys):
    from codegen.link.__main__ import main

    with (
        emulate(built, tmp_path) as emulator,
        closing(SerialPort(emulator.port)),
    ):  # open between commands
        for arguments, printed in {
            ("hello",): "image  (1, 12, 1)",
            ("stats",): "samples  0",
            ("memory",): "stack  8,192",
            ("timing",): "SysTick",
            ("save",): "save: head number 1",
            ("load",): "load: head number 1",
            ("knob", "learning_rate", "0.5"): "",
            ("autosave", "64"): "",
            ("reset",): "",
        }.items():
            assert main([emulator.port, *arguments]) == 0
            assert printed in capsys.readouterr().out
        with closing(SerialPort(emulator.port)) as port:
            board = Board(port, TIMEOUT_S)
            with pytest.raises(BoardError, match="SET_AUTOSAVE: the value is outside its range"):
                board.set_autosave(3)
    assert main(["/dev/tty-that-is-not-there", "hello"]) == 1
    assert "/dev/tty-that-is-not-there" in capsys.readouterr().err


def test_an_emulated_board_promises_no_storage_that_its_board_has_not(built_for_each, tmp_path):
    """Of the boards here the Corstone-300 has no driver of its flash."""
    board = built_for_each[0].board
    readme = (built_for_each[1] / "README.md").read_text()
    with emulate(built_for_each, tmp_path) as emulator, closing(SerialPort(emulator.port)) as port:
        found = Board(port, TIMEOUT_S)
        assert found.hello.can_save == (board.storage.driver != "none")
        assert bool(found.memory().slot) == found.hello.can_save
        if not found.hello.can_save:
            with pytest.raises(BoardError) as caught:
                found.save()
            assert caught.value.status == Status.NO_STORAGE
    assert ("no driver of this board's flash is known" in readme) == (not found.hello.can_save)
    assert ("without a driver: nothing is saved" in readme) == (not found.hello.can_save)
