"""Whatever a person gives to ``python -m codegen``: one line that names the option, and status 2."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegen.__main__ import main
from tests.codegen.test_command_line import classifier, write
from tests.support.processes import take_interrupts

ROOT = Path(__file__).parents[2]
NUMBERS = {  # option, and what it allows
    "--passes": (1, 1000),
    "--buffer-samples": (1, 2**31 - 1),
    "--new-head": (2, 256),
    "--learning-rate": (float(np.finfo(np.float32).tiny), 1e6),
}
ABSURD = (
    "0", "-1", "nan", "inf", "-inf", "1e400", "9" * 40, "9" * 5000, "99999999999", "", " ", "1,5",
    "0x10", "ten", "1e-60", "-0.0", "1e-40", "1e7", "²", "\0",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of int8 images (8, 8, 3) with five classes, and files of all kinds beside it."""
    folder = tmp_path_factory.mktemp("options")
    write(classifier(), folder)
    write(classifier("float32"), folder, "reals.tflite")
    rng = np.random.default_rng(1)
    codes = rng.integers(-128, 128, (3, 8, 8, 3)).astype(np.int8)
    reals = rng.normal(0, 1, codes.shape).astype(np.float32)
    holed, endless = reals.copy(), reals.copy()
    holed[1, 2, 3, 0], endless[0, 0, 0, 0] = np.nan, np.inf
    for name, array in {
        "good": codes,
        "one": codes[0],
        "wide": np.zeros((3, 8, 9, 3), np.int8),
        "none": codes[:0],
        "bytes": codes.astype(np.uint8),
        "doubles": reals.astype(np.float64),
        "swapped": reals.astype(">f4"),
        "complex": reals.astype(np.complex64),
        "words": np.array(["a", "b"]),
        "records": np.zeros(3, [("a", "i4")]),
        "scalar": np.float32(1),
        "holed": holed,
        "endless": endless,
        "crowd": np.zeros((1001, 8, 8, 3), np.int8),
        "features": np.zeros((3, 12), np.int8),
        "few": np.zeros((2, 12), np.int8),
        "real_features": np.zeros((3, 12), np.float32),
    }.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "wild.npy", np.full((3, 12), 1e7, np.float32))
    np.save(folder / "lost.npy", np.full((3, 12), np.nan, np.float32))
    np.save(folder / "reals.npy", reals)
    np.save(folder / "pickle.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    np.savez(folder / "archive.npz", images=codes)
    whole = (folder / "archive.npz").read_bytes()
    good = (folder / "good.npy").read_bytes()
    for name, content in {
        "cut.npz": whole[: len(whole) // 2],
        "cut.npy": good[:-100],
        "head.npy": good[:20],
        "empty.npy": b"",
        "text.npy": b"1 2 3\n",
        "vast.npy": vast_header(),
        "deep.npy": header_of("(" * 200 + ")" * 200),
        "strange.npy": header_of("{'descr': '<q9', 'fortran_order': False, 'shape': (1,)}"),
        "latin.txt": "café\nb\nc\nd\ne\n".encode("latin-1"),
        "wide.txt": "a\nb\nc\nd\ne\n".encode("utf-16"),
        "four.txt": b"a\nb\nc\nd\n",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine")
    (folder / "loop").symlink_to(folder / "loop")
    return folder


def header_of(text):
    content = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content


def vast_header():
    out = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 8, 8, 3)}
    np.lib.format.write_array_header_1_0(out, shape)
    return out.getvalue()


def run(capsys, folder, *arguments, model="model.tflite"):
    """The status, and the one line that is said of it."""
    before = sorted(folder.rglob("*"))
    given = [model, "--device", "nucleo_l4r5zi", *arguments]
    here = Path.cwd()
    os.chdir(folder)
    try:
        status = main(given)
    except SystemExit as error:
        status = error.code
    finally:
        os.chdir(here)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if status:
        assert said.startswith("error: ")
        assert said.count("\n") == 1, said
        assert sorted(folder.rglob("*")) == before, "what is refused leaves nothing behind"
    return status, said


def allowed(option, text):
    low, high = NUMBERS[option]
    try:
        value = float(text) if option == "--learning-rate" else int(text)
    except ValueError:
        return option == "--buffer-samples" and text == "max"
    return low <= value <= high


@pytest.mark.parametrize("text", ABSURD)
@pytest.mark.parametrize("option", NUMBERS)
def test_absurd_numbers(option, text, folder, capsys):
    assert not allowed(option, text)
    status, said = run(capsys, folder, "--dry-run", f"{option}={text}")
    assert status == 2
    assert said.startswith(f"error: argument {option}: must be a ")


numbers = st.one_of(
    st.integers().map(str),
    st.integers(-3, 1100).map(str),
    st.floats().map(str),
    st.floats(width=32).map(str),
    st.text(max_size=8),
)


@given(option=st.sampled_from(sorted(NUMBERS)), text=numbers)
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_number_is_taken_or_refused_by_name(option, text, folder, capsys):
    if allowed(option, text):
        return
    status, said = run(capsys, folder, "--dry-run", f"{option}={text}")
    assert status == 2
    assert f"argument {option}: must be a " in said


FILES = [  # option and value, then what is said
    (["--golden", "nothing.npy"], "argument --golden: 'nothing.npy': there is no such file"),
    (["--golden", "full"], "argument --golden: 'full': is no file"),
    (["--golden", "/dev/null"], "argument --golden: '/dev/null': is no file"),
    (["--golden", "loop"], "argument --golden: 'loop': Too many levels"),
    (["--golden", "a" * 5000], "argument --golden: 'aaaa"),
    (["--golden", "one.npy"], "--golden: one.npy: must be (N, 8, 8, 3); it is (8, 8, 3)"),
    (["--golden", "wide.npy"], "--golden: wide.npy: must be (N, 8, 8, 3)"),
    (["--golden", "none.npy"], "--golden: none.npy: must be (N, 8, 8, 3); it is (0, 8, 8, 3)"),
    (["--golden", "scalar.npy"], "--golden: scalar.npy: must be (N, 8, 8, 3); it is ()"),
    (["--golden", "bytes.npy"], "--golden: bytes.npy: must hold int8 codes, or float32 reals"),
    (["--golden", "doubles.npy"], "--golden: doubles.npy: must hold int8 codes"),
    (["--golden", "swapped.npy"], "--golden: swapped.npy: must hold int8 codes"),
    (["--golden", "complex.npy"], "--golden: complex.npy: must hold arrays of numbers"),
    (["--golden", "words.npy"], "--golden: words.npy: must hold arrays of numbers"),
    (["--golden", "records.npy"], "--golden: records.npy: must hold arrays of numbers"),
    (["--golden", "pickle.npy"], "--golden: pickle.npy: cannot be read as a NumPy file"),
    (["--golden", "archive.npz"], "--golden: archive.npz: is an .npz archive"),
    (["--golden", "cut.npz"], "--golden: cut.npz: cannot be read as a NumPy file"),
    (["--golden", "cut.npy"], "--golden: cut.npy: cannot be read as a NumPy file"),
    (["--golden", "head.npy"], "--golden: head.npy: cannot be read as a NumPy file"),
    (["--golden", "empty.npy"], "--golden: empty.npy: cannot be read as a NumPy file"),
    (["--golden", "text.npy"], "--golden: text.npy: cannot be read as a NumPy file"),
    (["--golden", "vast.npy"], "--golden: vast.npy: cannot be read as a NumPy file"),
    (["--golden", "deep.npy"], "--golden: deep.npy: cannot be read as a NumPy file"),
    (["--golden", "strange.npy"], "--golden: strange.npy: cannot be read as a NumPy file"),
    (["--golden", "model.tflite"], "--golden: model.tflite: cannot be read as a NumPy file"),
    (["--golden", "holed.npy"], "--golden: holed.npy: must hold finite numbers only"),
    (["--golden", "endless.npy"], "--golden: endless.npy: must hold finite numbers only"),
    (["--golden", "crowd.npy"], "--golden: crowd.npy: must hold at most 1000 images"),
    (["--golden", "good.npy", "--golden-features", "few.npy"],
     "--golden-features: few.npy: must be int8 (3, 12); it is int8 (2, 12)"),
    (["--golden", "good.npy", "--golden-features", "real_features.npy"],
     "--golden-features: real_features.npy: must be int8 (3, 12)"),
    (["--golden", "good.npy", "--golden-features", "cut.npz"], "--golden-features: cut.npz: cannot"),
    (["--golden", "good.npy", "--golden-features", "empty.npy"], "--golden-features: empty.npy"),
    (["--golden", "good.npy", "--golden-features", "gone.npy"], "argument --golden-features"),
    (["--golden-features", "features.npy"], "--golden-features: needs the images"),
    (["--classes-file", "latin.txt"], "--classes-file: latin.txt: is no UTF-8"),
    (["--classes-file", "wide.txt"], "--classes-file: wide.txt: is no UTF-8"),
    (["--classes-file", "full"], "argument --classes-file: 'full': is no file"),
    (["--classes-file", "gone.txt"], "argument --classes-file: 'gone.txt': there is no such file"),
    (["--classes-file", "four.txt"], "class names: the model has 5 classes; got 4 names"),
    (["--class-names", "a,b,c"], "class names: the model has 5 classes; got 3 names"),
    (["--class-names", "a", "--classes-file", "four.txt"], "argument --classes-file: not allowed"),
    (["--loss", "hinge"], "argument --loss"),
    (["--report", "full"], "argument --report: 'full': is no file"),
    (["--report", "/dev/null"], "argument --report: '/dev/null': is no file"),
    (["--report", "four.txt/r.json"], "argument --report: 'four.txt/r.json'"),
    (["--report", "loop"], "argument --report"),
    (["--device", "nucleo"], "device"),
    (["--device", "gone.toml"], "gone.toml"),
    (["--unknown"], "unrecognized arguments: --unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), FILES, ids=lambda value: str(value)[:60])
def test_files_and_names_that_are_wrong(options, message, folder, capsys):
    status, said = run(capsys, folder, "--out", "project", *options)
    assert status == 2
    assert message in said


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("four.txt", "argument --out: 'four.txt': is no folder"),
        ("four.txt/project", "argument --out: 'four.txt/project'"),
        ("loop", "argument --out"),
        ("a" * 300, "argument --out: 'aaaa"),
        ("full", "full"),
    ],
)
def test_places_that_are_wrong(place, message, folder, capsys):
    status, said = run(capsys, folder, "--out", place)
    assert status == 2
    assert message in said


@pytest.mark.parametrize("name", ["wild", "lost"])
def test_features_that_no_device_would_learn_from(name, folder, capsys):
    options = ["--golden", "reals.npy", "--golden-features", f"{name}.npy"]
    status, said = run(capsys, folder, "--out", "project", *options, model="reals.tflite")
    assert status == 2
    assert (
        f"--golden-features: {name}.npy: gives features that are not finite, or beyond 1e+06"
        in said
    )


@pytest.mark.parametrize("model", ["gone.tflite", "full", "/dev/null", "loop", "a" * 300])
def test_models_that_are_no_file(model, folder, capsys):
    status, said = run(capsys, folder, "--dry-run", model=model)
    assert status == 2
    assert "error: argument model: '" in said


@pytest.mark.parametrize("model", ["four.txt", "good.npy", "empty.npy", "archive.npz"])
def test_files_that_are_no_model(model, folder, capsys):
    status, said = run(capsys, folder, "--dry-run", model=model)
    assert status == 2
    assert model in said


def test_an_interruption_is_one_line_and_status_130(folder, tmp_path):
    """While the compiler runs, which is where most of the time goes."""
    compiler, started = tmp_path / "bin" / "g++", tmp_path / "started"
    compiler.parent.mkdir()
    compiler.write_text(f"#!/bin/sh\ntouch {started}\nexec sleep 60\n")
    compiler.chmod(0o755)
    command = [sys.executable, "-m", "codegen", "model.tflite", "--device", "nucleo_l4r5zi"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "project")],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{compiler.parent}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509  # sets a signal, nothing else
    )
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "error: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "started"]


def test_the_largest_buffer_is_generated_on_demand(folder, capsys):
    """``--force`` writes what does not fit: no size overflows on the way."""
    options = ["--out", "huge", "--force", "--buffer-samples", str(2**31 - 1)]
    here = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["model.tflite", "--device", "nucleo_l4r5zi", *options]) == 0
    finally:
        os.chdir(here)
    text = (folder / "huge" / "src" / "config.hpp").read_text()
    assert f"kBufferSamples = {2**31 - 1};" in text
    assert "does not fit" in capsys.readouterr().err
