"""What people do wrong with the tool: one line that names it, a status, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from codegen.link.__main__ import main
from codegen.link.framing import Deframer, encode
from codegen.link.messages import Message
from tests.codegen.link.conftest import Device
from tests.codegen.link.pseudo import PseudoBoard
from tests.support.processes import take_interrupts

COUNT = 6
QUICK = ("--timeout", "0.05", "--tries", "2")
CSV_HEAD = "number,label,prediction,correct,accuracy,recent,alarm,saved,seconds"


@pytest.fixture
def files(tmp_path):
    """Data sets for a board that takes int8 (1, 12, 1) and has five classes, good and bad."""
    rng = np.random.default_rng(1)
    images = rng.integers(-128, 128, (COUNT, 1, 12, 1)).astype(np.int8)
    labels = np.arange(COUNT) % 5

    def npz(name, **arrays):
        np.savez(tmp_path / f"{name}.npz", **arrays)

    npz("good", images=images, labels=labels)
    npz("empty", images=images[:0], labels=labels[:0])
    npz("nine", images=images, labels=labels + 5)
    npz("negative", images=images, labels=labels - 1)
    npz("reals", images=images.astype(np.float32), labels=labels)
    npz("wide", images=np.zeros((COUNT, 1, 13, 1), np.int8), labels=labels)
    npz("flat", images=images.reshape(COUNT, 12), labels=labels)
    npz("bytes", images=images.astype(np.uint8), labels=labels)
    npz("unlabelled", images=images)
    npz("few", images=images, labels=labels[:3])
    npz("half", images=images, labels=labels + 0.5)
    npz("large", images=images, labels=np.full(COUNT, 2**63 + 5, np.uint64))
    np.savez(tmp_path / "objects.npz", images=np.array([{}] * 3), labels=labels)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}]), allow_pickle=True)
    good = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(good[: len(good) // 2])
    (tmp_path / "flipped.npz").write_bytes(good[:60] + bytes(40) + good[100:])
    (tmp_path / "nothing.npz").write_bytes(b"")
    (tmp_path / "nothing.npy").write_bytes(b"")
    (tmp_path / "text.npz").write_text("images, labels")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "images.npy").read_bytes()[:-20])
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("images.npy", b"no array")
        archive.writestr("labels.npy", b"none either")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "test_batch.bin").write_bytes(bytes(3074))
    odd = tmp_path / "odd"
    for name in ("pictures/a.png", "classes/wolf/a.png", "both/a.png", "both/cat/b.png"):
        (odd / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30, 20)).save(odd / name)
    (odd / "text").mkdir()
    (odd / "text" / "text.png").write_text("no picture")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path


@pytest.fixture
def board(device_library):
    device = Device(device_library)
    with PseudoBoard(device.feed) as pseudo:
        pseudo.device = device
        yield pseudo


ARGUMENTS = [  # refused before a port is opened: status 2, and the argument's name
    ("knob", ["knob", "learning_rate", "1e60"], "argument value: must be a number in -3.4e+38"),
    ("knob nan", ["knob", "learning_rate", "nan"], "argument value"),
    ("knob in words", ["knob", "learning_rate", "fast"], "got 'fast'"),
    ("no value", ["knob", "learning_rate"], "value"),
    ("no knob", ["knob"], "name"),
    ("autosave", ["autosave", "-1"], "every"),
    ("autosave often", ["autosave", "15"], "argument every: must be a whole number in 16..4294"),
    ("autosave huge", ["autosave", str(2**32)], "argument every"),
    ("autosave real", ["autosave", "16.5"], "(or 0 for never); got '16.5'"),
    ("stream autosave", ["stream", "good.npz", "--autosave", "3"], "argument --autosave"),
    ("count", ["stream", "good.npz", "--count", "0"], "argument --count"),
    ("negative count", ["stream", "good.npz", "--count=-3"], "argument --count"),
    ("huge count", ["stream", "good.npz", "--count", "9" * 30], "argument --count"),
    ("count of digits", ["stream", "good.npz", "--count", "9" * 5000], "argument --count"),
    ("skip", ["stream", "good.npz", "--skip", "-2"], "--skip"),
    ("shuffle", ["stream", "good.npz", "--shuffle=-1"], "argument --shuffle"),
    ("index", ["classify", "good.npz", "--index=-1"], "argument --index"),
    ("index in words", ["classify", "good.npz", "--index", "first"], "got 'first'"),
    ("split", ["stream", "folder", "--split", "validation"], "argument --split"),
    ("labels", ["stream", "images.npy", "--labels", "none.npy"], "argument --labels: 'none.npy'"),
    ("labels a folder", ["stream", "images.npy", "--labels", "folder"], "is no file"),
    ("no data", ["stream"], "data"),
    ("unknown command", ["teach"], "argument command"),
    ("no label", ["learn", "good.npz"], "label"),
    ("mean alone", ["learn", "good.npz", "1", "--mean", "3"], "argument --mean: goes with --std"),
    ("no command", [], "command"),
    ("csv is json", ["stream", "good.npz", "--csv", "a", "--json", "./a"], "argument --json"),
    ("csv is data", ["stream", "good.npz", "--csv", "good.npz"], "is the same file as data"),
    (
        "json is labels",
        ["stream", "images.npy", "--labels", "labels.npy", "--json", "labels.npy"],
        "is the same file as --labels",
    ),
    ("csv in a circle", ["stream", "good.npz", "--csv", "loop"], "--csv"),
]
OPTIONS = [
    ("--baud", "0"),
    ("--baud", "-9600"),
    ("--baud", "1e5"),
    ("--baud", "9" * 40),
    ("--timeout", "0"),
    ("--timeout", "-1"),
    ("--timeout", "nan"),
    ("--timeout", "inf"),
    ("--timeout", "1e300"),
    ("--timeout", "soon"),
    ("--tries", "0"),
    ("--tries", "-1"),
    ("--tries", "1.5"),
    ("--tries", "9" * 20),
]
DATA = [  # read before a port is opened, held against the board before it is changed: status 2
    ("index", ["classify", "good.npz", "--index", "9999"], "--index: there are 6 images; got 9999"),
    ("knob", ["knob", "speed", "1"], "knob: speed: the board's learner has learning_rate"),
    ("label", ["learn", "good.npz", "wolf"], "label: 'wolf' is no class of the board: cat, "),
    ("label beyond", ["learn", "good.npz", "5"], "label: '5' is no class of the board"),
    ("no picture", ["classify", "odd/text/text.png"], "text.png: cannot be read as a picture"),
    ("no labels", ["stream", "odd/pictures"], "the pictures have no labels"),
    ("no such class", ["stream", "odd/classes"], "label: 'wolf' is no class"),
    ("both", ["stream", "odd/both"], "has pictures and folders of pictures (cat)"),
    ("skip", ["stream", "good.npz", "--skip", "6"], "--skip: leaves none of 6 samples"),
    ("missing", ["stream", "none.npz"], "none.npz: there is no such file"),
    ("name too long", ["stream", "a" * 5000], "name too long"),
    ("cut", ["stream", "cut.npz"], "cut.npz: cannot be read as a NumPy file"),
    ("flipped", ["stream", "flipped.npz"], "flipped.npz: cannot be read as a NumPy file"),
    ("empty file", ["stream", "nothing.npz"], "nothing.npz: cannot be read as a NumPy file"),
    ("text", ["classify", "text.npz"], "text.npz: cannot be read as a NumPy file"),
    ("zip", ["stream", "zip.npz"], "zip.npz: "),
    ("objects", ["stream", "objects.npz"], "objects.npz: cannot be read as a NumPy file"),
    ("unlabelled", ["stream", "unlabelled.npz"], "labels"),
    ("no samples", ["stream", "empty.npz"], "images: there are none"),
    ("no image", ["classify", "empty.npz"], "images: there are none"),
    ("class", ["stream", "nine.npz"], "labels: must be in 0..4, the board's classes; got 5..9"),
    ("negative class", ["stream", "negative.npz"], "got -1..3"),
    ("half a class", ["stream", "half.npz"], "labels whole numbers"),
    ("too many bits", ["stream", "large.npz"], "labels: must be in 0..4"),
    ("reals", ["stream", "reals.npz"], "got float32"),
    ("wide", ["stream", "wide.npz"], "got int8 (1, 13, 1)"),
    ("flat", ["stream", "flat.npz"], "images must be (N, height, width, channels)"),
    ("bytes", ["stream", "bytes.npz"], "images in its own int8"),
    ("few labels", ["stream", "few.npz"], "labels whole numbers (N,)"),
    ("no labels", ["stream", "images.npy"], "name the labels with --labels"),
    ("labels twice", ["stream", "good.npz", "--labels", "labels.npy"], "--labels: goes with"),
    ("labels of a folder", ["stream", "folder", "--labels", "labels.npy"], "--labels: goes with"),
    ("labels pickled", ["stream", "images.npy", "--labels", "pickle.npy"], "pickle.npy: cannot be"),
    ("labels empty", ["stream", "images.npy", "--labels", "nothing.npy"], "nothing.npy: cannot be"),
    ("labels an archive", ["stream", "images.npy", "--labels", "good.npz"], "is an .npz archive"),
    ("cut images", ["stream", "cut.npy", "--labels", "labels.npy"], "cut.npy: cannot be read"),
    ("no CIFAR-10", ["stream", "."], "no CIFAR-10 in its binary version"),
    ("cut CIFAR-10", ["stream", "folder"], "must be rows of 3073 bytes; got 3074"),
]
PLACES = [  # checked before the first sample
    ("--csv", "none/run.csv", "No such file or directory"),
    ("--json", "none/run.json", "No such file or directory"),
    ("--csv", "folder", "is no file"),
    ("--json", "folder", "is no file"),
    ("--json", "/dev/null", "is no file"),
    ("--csv", "good.npz/run.csv", "Not a directory"),
    ("--json", "a" * 300, "File name too long"),
    ("--json", "/proc/run.json", ""),
]


def run(arguments, capsys, monkeypatch, folder):
    """The status, and the one line that the tool says of it."""
    monkeypatch.chdir(folder)
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as error:
        status = error.code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if status:
        assert said.startswith("error: ")
        assert said.count("\n") == 1, said
    return status, said


@pytest.mark.parametrize(
    ("arguments", "message"), [row[1:] for row in ARGUMENTS], ids=[row[0] for row in ARGUMENTS]
)
def test_wrong_arguments(arguments, message, files, capsys, monkeypatch):
    """Without a port: nothing is opened."""
    status, said = run(["/dev/none", *arguments], capsys, monkeypatch, files)
    assert status == 2
    assert message in said


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_wrong_options_of_the_port(option, value, files, capsys, monkeypatch):
    status, said = run([f"{option}={value}", "/dev/none", "hello"], capsys, monkeypatch, files)
    assert (status, f"argument {option}: must be" in said) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"), [row[1:] for row in DATA], ids=[row[0] for row in DATA]
)
def test_wrong_data(arguments, message, files, board, capsys, monkeypatch):
    before = sorted(files.rglob("*"))
    status, said = run([*QUICK, board.port, *arguments], capsys, monkeypatch, files)
    assert status == 2
    assert message in said
    assert sorted(files.rglob("*")) == before


@pytest.mark.parametrize(("option", "place", "message"), PLACES)
def test_a_log_that_cannot_be_written_is_told_before_the_stream(
    option, place, message, files, board, capsys, monkeypatch
):
    arguments = [*QUICK, board.port, "stream", "good.npz", option, place]
    status, said = run(arguments, capsys, monkeypatch, files)
    assert status == 2
    assert f"{option}: " in said
    assert message in said
    assert samples_learned(board) == 0


def samples_learned(board):
    answer = Deframer().feed(board.device.feed(encode(Message.STATS, 1, b"")))[0]
    return int.from_bytes(answer.payload[1:5], "little")


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("/dev/none", "'/dev/none': cannot be opened as a serial port"),
        ("", "cannot be opened"),
        (".", "cannot be opened"),
        ("good.npz", "cannot be opened"),
        ("/dev/null", "'/dev/null': cannot be"),
        ("/dev/ttyACM0\0", "cannot be opened"),
        ("a" * 5000, "cannot be opened"),
    ],
)
def test_what_is_no_port(port, message, files, capsys, monkeypatch):
    status, said = run([*QUICK, port, "hello"], capsys, monkeypatch, files)
    assert status == 1
    assert message in said


def test_a_speed_that_the_port_has_not(files, board, capsys, monkeypatch):
    """Refused by the driver, or taken, as by a pseudo-terminal: no traceback."""
    assert run(["--baud", "12345", board.port, "hello"], capsys, monkeypatch, files)[0] in (0, 1)


@pytest.mark.parametrize("command", ["hello", "stats", "memory", "timing", "save", "load", "reset"])
def test_a_silent_board(command, files, capsys, monkeypatch):
    with PseudoBoard(lambda data: b"") as silent:
        status, said = run([*QUICK, silent.port, command], capsys, monkeypatch, files)
    assert status == 1
    assert re.search(r"no reply to HELLO in 0\.\d s, in which it was sent 2 times", said)


@given(answer=st.binary(max_size=60), follows=st.booleans())
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_another_program_on_the_board(answer, follows, files, capsys, monkeypatch):
    """Whole frames whose content is no answer, or noise."""

    def feed(data):
        sent = Deframer().feed(data)
        if not sent or not follows:
            return answer
        request = sent[0]
        return encode(request.message | 0x80, request.sequence, b"\0" + answer, request.session)

    with PseudoBoard(feed) as other:
        status, said = run([*QUICK, other.port, "hello"], capsys, monkeypatch, files)
    assert status == 1
    assert "HELLO" in said


# --- nothing is lost -----------------------------------------------------------------------------


def stream_process(board, folder, *options):
    command = [sys.executable, "-m", "codegen.link", *QUICK, board.port, "stream", "good.npz"]
    return subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509  # sets a signal, nothing else
    )


@pytest.mark.parametrize("after", [1, 4])
def test_an_unplugged_board_leaves_what_was_learned(after, files, board, capsys, monkeypatch):
    (files / "run.csv").write_text("of an older run\n")
    feed, learned = board.feed, []

    def unplugged(data):
        answer = b"" if len(learned) == after else feed(data)
        learned.extend(frame for frame in Deframer().feed(answer) if frame.message == 0x91)
        return answer

    board.feed = unplugged
    logs = ["--csv", "run.csv", "--json", "run.json"]
    arguments = [*QUICK, board.port, "stream", "good.npz", *logs]
    status, said = run(arguments, capsys, monkeypatch, files)
    assert status == 1
    assert "no reply to LEARN" in said
    lines = (files / "run.csv").read_text().splitlines()
    assert (lines[0], len(lines)) == (CSV_HEAD, after + 1)
    log = json.loads((files / "run.json").read_text())
    assert len(log["steps"]) == after
    assert "no reply to LEARN" in log["ended"]
    assert not list(files.glob("*.part"))


def test_a_stream_that_never_began_leaves_older_logs(files, board, capsys, monkeypatch):
    for name in ("run.csv", "run.json"):
        (files / name).write_text("of an older run\n")
    feed = board.feed
    board.feed = lambda data: b"" if b"\x11" in data[:5] else feed(data)
    arguments = [*QUICK, board.port, "stream", "good.npz", "--csv", "run.csv", "--json", "run.json"]
    assert run(arguments, capsys, monkeypatch, files)[0] == 1
    for name in ("run.csv", "run.json"):
        assert (files / name).read_text() == "of an older run\n"
    assert not list(files.glob("*.part"))


def test_a_stream_that_is_interrupted_leaves_what_was_learned(files, board):
    feed = board.feed

    def slow(data):
        time.sleep(0.04)
        return feed(data)

    board.feed = slow
    process = stream_process(board, files, "--csv", "run.csv", "--json", "run.json")
    while not list(files.glob("run.csv.*.part")) or samples_learned(board) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "error: interrupted\n")
    rows = (files / "run.csv").read_text().splitlines()[1:]
    log = json.loads((files / "run.json").read_text())
    assert log["ended"] == "interrupted"
    assert len(log["steps"]) == len(rows) >= 1
    assert not list(files.glob("*.part"))


def test_an_output_that_is_closed_loses_no_log(files, board):
    process = stream_process(board, files, "--csv", "run.csv", "--json", "run.json")
    process.stdout.close()
    process.wait(timeout=20)
    assert process.returncode == 1
    assert process.stderr.read() == "error: the output was closed\n"
    process.stderr.close()
    assert len((files / "run.csv").read_text().splitlines()) == COUNT + 1
    assert len(json.loads((files / "run.json").read_text())["steps"]) == COUNT


def test_a_full_disk_is_named_and_the_other_log_is_whole(files, board, capsys, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    from codegen.link import logs

    real_open = Path.open
    monkeypatch.setattr(
        logs.Path,
        "open",
        lambda path, *how, **more: (
            real_open(Path("/dev/full"), "w", encoding="utf-8")
            if "run.csv" in path.name
            else real_open(path, *how, **more)
        ),
    )
    arguments = [*QUICK, board.port, "stream", "good.npz", "--csv", "run.csv", "--json", "run.json"]
    status, said = run(arguments, capsys, monkeypatch, files)
    assert status == 2
    assert f"--csv: {files / 'run.csv'}: No space left on device" in said
    assert len(json.loads((files / "run.json").read_text())["steps"]) == 1


def test_a_stream_writes_both_logs_and_no_part_stays(files, board, capsys, monkeypatch):
    arguments = [*QUICK, board.port, "stream", "good.npz", "--csv", "run.csv", "--json", "run.json"]
    assert run(arguments, capsys, monkeypatch, files)[0] == 0
    log = json.loads((files / "run.json").read_text())
    assert (log["ended"], log["stats"]["samples"], len(log["steps"])) == ("complete", COUNT, COUNT)
    assert len((files / "run.csv").read_text().splitlines()) == COUNT + 1
    assert sorted(path.name for path in files.glob("run.*")) == ["run.csv", "run.json"]
