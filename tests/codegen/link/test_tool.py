"""What the command line reads, draws and writes, without a board."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from codegen.link.chart import ALARM, RECENT, chart
from codegen.link.client import Board
from codegen.link.dataset import DataError, Samples, load, prepare
from codegen.link.logs import CsvLog
from codegen.link.stream import Picture, Step, run
from codegen.normalisation import Normalisation
from codegen.pixels import normalise, resize, to_codes


def hello_like(hello, **changes):
    from dataclasses import replace

    return replace(hello, **changes)


@pytest.fixture
def hello(device):
    return Board(device, 0.01).hello


def step(number, accuracy=0.5, recent=0.5, alarm=False):
    return Step(number, 1, 1, True, accuracy, recent, alarm, False, 0.1 * number)


# --- data ----------------------------------------------------------------------------------------


def test_npz_and_npy(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    labels = np.array([4, 1], np.uint8)
    np.savez(tmp_path / "both.npz", images=images, labels=labels)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", labels)
    for samples in (load(tmp_path / "both.npz"), load(tmp_path / "x.npy", tmp_path / "y.npy")):
        np.testing.assert_array_equal(samples.images, images)
        assert samples.labels.tolist() == [4, 1]


def test_cifar10(cifar10_root, sample):
    test = load(cifar10_root)
    assert test.images.shape == (10000, 32, 32, 3)
    assert np.bincount(test.labels).tolist() == [1000] * 10
    wanted = sample.split("test").pixels[0]
    assert (test.images == wanted).all(axis=(1, 2, 3)).sum() == 1, "an image as the project sees it"


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "data: cannot be read as a NumPy file"),
        (b"junk", "data: cannot be read as a NumPy file"),
        (npy(np.zeros((1, 2, 2, 3))), "name the labels"),
        (npz(images=np.zeros(1)), "labels"),
        (npz(images=np.zeros((2, 3)), labels=np.zeros(2, int)), r"images must be \(N, height"),
        (npz(images=np.zeros((2, 1, 1, 1)), labels=np.zeros(2)), "labels whole numbers"),
    ],
)
def test_files_that_hold_no_data_set(tmp_path, content, message):
    path = tmp_path / "data"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(path)


def test_a_folder_that_is_no_cifar10(tmp_path):
    with pytest.raises(DataError, match="no CIFAR-10 in its binary version"):
        load(tmp_path)
    (tmp_path / "test_batch.bin").write_bytes(bytes(3074))
    with pytest.raises(DataError, match="must be rows of 3073 bytes; got 3074"):
        load(tmp_path)


def test_bytes_become_codes_as_in_training(hello):
    camera = hello_like(
        hello, image=(20, 20, 3), pixel_scale=np.float32(1 / 128), pixel_zero_point=0
    )
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    samples = Samples(pixels, np.array([0, 4, 2]))
    expected = to_codes(resize(pixels, 20))
    np.testing.assert_array_equal(prepare(samples, camera).images, expected)
    floats = hello_like(camera, pixel_dtype=np.dtype(np.float32))
    expected = normalise(resize(pixels, 20))
    told = (128.0,), (128.0,)
    np.testing.assert_array_equal(prepare(samples, floats, told).images, expected)
    with pytest.raises(
        DataError, match=r"how the training saw a byte, .*float32 input does not tell"
    ):
        prepare(samples, floats)
    imagenet = hello_like(camera, pixel_scale=0.0187, pixel_zero_point=-14)
    told = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    expected = Normalisation(*told).codes(resize(pixels, 20), 0.0187, -14)
    np.testing.assert_array_equal(prepare(samples, imagenet, told).images, expected)
    with pytest.raises(DataError, match="they are of another training"):
        prepare(samples, camera, told)


def test_codes_pass_unchanged(hello):
    codes = np.arange(-12, 12, dtype=np.int8).reshape(2, 1, 12, 1)
    assert prepare(Samples(codes, np.array([0, 1])), hello).images is codes


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((1, 1, 12, 1), np.int8), [5], r"labels: must be in 0\.\.4.*got 5\.\.5"),
        (np.zeros((1, 1, 12, 1), np.int8), [-1], r"got -1\.\.-1"),
        (np.zeros((1, 1, 13, 1), np.int8), [0], r"takes int8 \(1, 12, 1\).*got int8 \(1, 13, 1\)"),
        (np.zeros((1, 1, 12, 1), np.float32), [0], "got float32"),
        (np.zeros((1, 8, 8, 1), np.uint8), [0], "cannot make"),
        (np.zeros((1, 1, 12, 1), np.uint8), [0], "images in its own int8"),
    ],
)
def test_data_that_the_board_cannot_take(hello, images, labels, message):
    with pytest.raises(DataError, match=message):
        prepare(Samples(images, np.array(labels)), hello)


# --- the picture ---------------------------------------------------------------------------------


def test_chart_marks_values_where_they_are():
    lines = chart([1.0] * 10, [0.0] * 10, alarms=[10], width=20, height=4)
    assert lines[0] == " 100 % │" + "·" * 10 + " " * 10
    assert lines[3].endswith("│" + RECENT * 10 + " " * 10)
    assert lines[4].startswith("   0 % └──")
    assert lines[5] == " " * 17 + ALARM


def test_a_long_run_is_squeezed_into_the_width():
    lines = chart([i / 1000 for i in range(1000)], [0.5] * 1000, width=40, height=10)
    assert all(len(line) <= 48 for line in lines[:12])
    assert lines[0].rstrip().endswith("·")
    assert "·" not in lines[0][8:40]
    assert lines[4].count(RECENT) == 40


def test_a_terminal_is_redrawn_and_a_file_gets_lines(monkeypatch):
    monkeypatch.setattr("codegen.link.stream.REDRAW_S", -1)
    terminal, plain = io.StringIO(), io.StringIO()
    terminal.isatty = lambda: True
    pictures = Picture(300, terminal), Picture(300, plain)
    for number in range(1, 251):
        for picture in pictures:
            picture(step(number, alarm=number == 50))
    for picture in pictures:
        picture.end()
    assert terminal.getvalue().count("\x1b[14A\x1b[J") == 250  # up over what was drawn
    lines = plain.getvalue().splitlines()
    assert [re.match(r" *(\d+) of 300", line)[1] for line in lines[:3]] == ["50", "100", "200"]
    assert "DRIFT" in lines[0]
    assert "\x1b" not in plain.getvalue()
    assert lines[-1].startswith("   250 of 300  all  50.0 %  recent  50.0 %")


def test_a_run_that_breaks_leaves_what_it_had(device, hello, tmp_path):
    board = Board(device, 0.001, tries=2)
    images = np.zeros((5, *hello.image), np.int8)
    samples = Samples(images, np.array([0, 1, 2, 3, 4]))

    def unplug(step):
        if step.number == 3:
            device.write = lambda data: None

    with pytest.raises(TimeoutError), closing(CsvLog(tmp_path / "run.csv")) as log:
        run(board, samples, np.arange(5), log, unplug)
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert lines[0] == "number,label,prediction,correct,accuracy,recent,alarm,saved,seconds"
    assert [line.split(",")[:2] for line in lines[1:]] == [["1", "0"], ["2", "1"], ["3", "2"]]


def test_the_compiler_needs_no_pyserial():
    code = (
        "import sys, codegen.emit.emitter, codegen.link.client; sys.exit('serial' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
