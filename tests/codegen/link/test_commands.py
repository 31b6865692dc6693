"""The tool as a person uses it: pictures, names of classes, and what each command says."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from codegen.camera import gray
from codegen.emit.emitter import emit
from codegen.link.__main__ import main
from codegen.link.client import Board, ReplyError
from codegen.link.framing import Deframer, encode
from codegen.link.messages import REPLY, Message
from codegen.link.stream import _time
from codegen.pixels import resample, to_codes
from codegen.toolchain.host import HostModel
from tests.codegen.link.conftest import Device, build_device
from tests.codegen.link.pseudo import PseudoBoard
from tests.codegen.runtime.test_preprocess import flatten_project

NAMES = ("cat", "dog")
SIDE = 8
DRAWS = 100


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    emit(replace(flatten_project(SIDE, SIDE, 1), class_names=NAMES), folder / "project")
    library = build_device(folder / "project", folder / "device.so", "-shared", "-fPIC")
    return library, HostModel(folder / "project")


@pytest.fixture
def tool(built, capsys):
    """Run a command on a board that goes on between commands; what it says."""
    device = Device(built[0])
    with PseudoBoard(device.feed) as board:

        def run(*arguments, status=0):
            assert main([board.port, *map(str, arguments)]) == status
            said = capsys.readouterr()
            return said.err if status else said.out

        run.device = device
        yield run


def picture(path, seed):
    """A random picture in any shape, and the codes that a device's camera would have brought."""
    rng = np.random.default_rng(seed)
    height, width = (2 * rng.integers(5, 40, 2)).tolist()
    pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 4 * 2
    middle = gray(pixels[top : top + side, left : left + side])
    return to_codes(resample(middle[np.newaxis], SIDE, SIDE))[0]


def test_one_picture_is_classified_corrected_and_counted(tool, built, tmp_path):
    host = built[1]
    host.reset()
    image = picture(tmp_path / "a photo.png", np.random.default_rng().integers(2**31))
    features = host.features(image[np.newaxis])
    logits = host.logits(features)[0].astype(float)
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    said = tool("classify", tmp_path / "a photo.png")
    for name, share in zip(NAMES, shares, strict=True):
        assert re.search(rf"{name} +{100 * share:.1f} %", said), said
    assert "true label" not in said
    before = int(logits.argmax())
    label = 1 - before
    said = tool("learn", tmp_path / "a photo.png", NAMES[label])
    assert f"learned as {NAMES[label]}; it was taken for {NAMES[before]}, not rightly" in said
    host.learn(features[0], label)
    now = NAMES[int(host.predict(features)[0])]
    assert f"now it is taken for {now}" in said
    board = Board(tool.device)
    np.testing.assert_array_equal(board.state(), host.state())
    tool("learn", tmp_path / "a photo.png", label)  # by its number
    assert board.stats().seen[label] == 2


def test_folders_of_classes_are_streamed_and_their_labels_shown(tool, built, tmp_path):
    host = built[1]
    host.reset()
    for name, number in (("1", 1), ("cat", 0)):  # in the order of their names
        for seed in range(3):
            image = picture(tmp_path / "data" / name / f"{seed}.png", 10 * number + seed)
            host.learn(host.features(image[np.newaxis])[0], number)
    said = tool("stream", tmp_path / "data")
    assert re.search(r"6 of 6 .* 0 s left", said)
    np.testing.assert_array_equal(Board(tool.device).state(), host.state())
    said = tool("classify", tmp_path / "data", "--index", 0)
    assert re.search(r"dog .*<- the true label", said)
    flat = tmp_path / "data" / "cat"
    assert "true label" not in tool("classify", flat, "--index", 2)


def test_commands_say_what_they_did_and_stats_which_head_runs(tool, tmp_path):
    picture(tmp_path / "x.png", 1)
    said = tool("stats")
    assert "the first head; none is saved" in said
    for key in ("correct", "recent", "drift", "last_alarm", "accuracy", "saved_sequence", *NAMES):
        assert re.search(rf"^ *{key} +-$", said, re.MULTILINE), said
    tool("learn", tmp_path / "x.png", "cat")
    said = tool("stats")
    assert "a head that is not saved" in said
    assert re.search(r"^ *cat +\d+\.\d %  [01] of 1$", said, re.MULTILINE)
    assert re.search(r"^ *dog +-$", said, re.MULTILINE)
    assert tool("save") == "save: head number 1 is in flash; erasures of its slot so far: 1\n"
    assert tool("save") == "save: head number 1 was in flash already: nothing was erased\n"
    assert "the saved head, number 1" in tool("stats")
    tool("learn", tmp_path / "x.png", "dog")
    assert "another head than the saved number 1" in tool("stats")
    assert tool("load") == "load: head number 1 is running, as it was saved\n"
    assert "the saved head, number 1" in tool("stats")
    assert tool("reset").startswith("reset: the first head is running")
    assert "another head than the saved number 1" in tool("stats")
    assert tool("knob", "learning_rate", 0.5) == "knob: learning_rate is 0.5\n"
    assert tool("autosave", 1000) == "autosave: after every 1,000 samples\n"
    assert tool("autosave", 0) == "autosave: off\n"


def test_without_pillow_a_picture_says_what_it_needs(tool, tmp_path, monkeypatch):
    picture(tmp_path / "x.png", 1)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    said = tool("classify", tmp_path / "x.png", status=2)
    assert "needs Pillow, which is not installed: pip install pillow" in said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7260, "2 h 1 min")],
)
def test_time_is_said_as_people_say_it(seconds, text):
    assert _time(seconds) == text


ASKED = [
    (Message.HELLO, "hello"),
    (Message.HELLO, "stats"),
    (Message.STATS, "stats"),
    (Message.MEMORY, "memory"),
    (Message.TIMING, "timing"),
    (Message.CLASSIFY, "classify x.png"),
    (Message.LEARN, "learn x.png cat"),
    (Message.SAVE, "save"),
    (Message.SET_KNOB, "knob learning_rate 1"),
]


def broken(content, chance):
    """A reply's payload, changed in a few bytes or in many, cut, longer, or something else."""
    content = bytearray(content)
    kind = chance.choice(("few", "few", "half", "cut", "longer", "noise"))
    if kind == "cut":
        del content[chance.randrange(len(content)) :]
    elif kind == "longer":
        content += chance.randbytes(chance.randint(1, 9))
    elif kind == "noise":
        content = bytearray(b"\0" + chance.randbytes(chance.randrange(60)))
    else:
        places = range(1, len(content))
        count = min(len(places), chance.randint(1, 3) if kind == "few" else len(content) // 2)
        for at in chance.sample(places, count):
            content[at] = chance.choice((content[at] ^ 1, chance.randrange(256)))
    return bytes(content)


@pytest.mark.parametrize(("asked", "command"), ASKED)
def test_whole_replies_of_any_content_end_in_one_line(
    asked, command, built, tmp_path, monkeypatch, capsys
):
    """A board that answers a request with a frame that is right but for what is in it."""
    picture(tmp_path / "x.png", 1)
    monkeypatch.chdir(tmp_path)
    device, chance = Device(built[0]), random.Random(f"{asked.name} of {command}")

    class Line(Device):
        def __init__(self, *_):
            self.received = b""

        def write(self, data):
            for reply in Deframer().feed(device.feed(data)):
                content = reply.payload
                if reply.message == asked | REPLY:
                    content = broken(content, chance)
                self.received += encode(reply.message, reply.sequence, content, reply.session)

        def close(self):
            pass

    monkeypatch.setattr("codegen.link.port.SerialPort", Line)
    ends = set()
    for _ in range(DRAWS):
        status = main(["--timeout", "0.001", "--tries", "1", "a port", *command.split()])
        said = capsys.readouterr().err
        assert said.count("\n") == status, said
        ends.add(status)
    assert ends == {0, 1}


@pytest.mark.parametrize("prediction", [2, 7, 255])
def test_a_class_that_the_board_has_not_is_no_answer(prediction, built):
    device = Device(built[0])
    board = Board(device, 0.01)

    def write(frame):
        (request,) = Deframer().feed(frame)
        content = bytes((0, prediction)) + (bytes(8) if request.message == 0x06 else bytes(2))
        device.received += encode(
            request.message | 0x80, request.sequence, content, request.session
        )

    device.write = write
    image = np.zeros((SIDE, SIDE, 1), np.int8)
    for asked in (lambda: board.classify(image), lambda: board.learn(image, 1)):
        with pytest.raises(ReplyError, match="there are 2 classes"):
            asked()
