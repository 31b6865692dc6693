"""``--inference-only`` and ``--verify``: a network without a head, and the oracle on a user's own inputs."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen import oracle
from codegen.__main__ import main
from codegen.frontend.cut import split, without_head
from codegen.frontend.read import open_model
from codegen.ir import Graph
from codegen.toolchain import network
from tests.codegen.test_command_line import classifier, generate, last_convolution, write
from tests.support.extractors import oracle as expected_of
from tests.support.models import to_flatbuffer
from tests.support.needs import needs_board_tools, needs_cmake

IMAGE = (8, 8, 3)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("images") / "mine.npy"
    np.save(path, np.random.default_rng(4).uniform(-2, 2, (6, *IMAGE)).astype(np.float32))
    return path


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_whole_network_computes_what_the_file_does(
    dtype: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """257 outputs and no softmax: no head could be made of it."""
    whole = classifier(dtype, classes=257, tail="", reals=dtype == "int8")
    model, out, report = write(whole, tmp_path), tmp_path / "out", tmp_path / "report.json"
    options = ["--inference-only", "--out", out, "--golden", images, "--report", report]
    options += ["--input-outside", "--ram-first", 1.5] if dtype == "int8" else []
    assert generate(model, *options, "--verify") == 0
    said = capsys.readouterr().out
    assert "does not learn" in said
    assert "on the inputs of mine.npy, equal to TensorFlow Lite Micro's" in said
    taken = without_head(open_model(model))
    assert taken.dropped == (("QUANTIZE", "DEQUANTIZE") if dtype == "int8" else ())
    assert taken.graph.output.shape == (1, 257)
    given = np.random.default_rng(7).uniform(-2, 2, (5, *IMAGE)).astype(np.float32)
    if dtype == "int8":
        source = taken.graph.input.quantization
        codes = np.clip(np.round(given / source.scales[0]) + source.zero_points[0], -128, 127)
        given, reals = (
            codes.astype(np.int8),
            np.float32(source.scales[0]) * (codes.astype(np.float32) - source.zero_points[0]),
        )
    found = network.run(out, given, 257, dtype)
    if dtype == "int8":
        quantization = taken.graph.output.quantization
        found = np.float32(quantization.scales[0]) * (
            found.astype(np.float32) - quantization.zero_points[0]
        )
        given = reals
    np.testing.assert_allclose(found, expected_of(model.read_bytes(), given), rtol=1e-5, atol=1e-5)
    figures = json.loads(report.read_text())
    assert figures["written"]
    assert figures["head"] is None
    assert sorted(path.name for path in (out / "runtime").iterdir()) == ["kernels", "serial"]
    assert "It does not learn" in (out / "README.md").read_text()


@needs_cmake
@needs_board_tools
def test_its_self_test_passes_on_a_computer_and_on_the_emulated_board(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert generate(write(classifier(tail=""), tmp_path), "--inference-only", "--out", out) == 0
    cross = "-DCMAKE_TOOLCHAIN_FILE=cmake/arm-none-eabi.cmake -DEMULATED=ON"
    for folder, options in (("host", ""), ("board", cross)):
        command = (
            f"cmake -B {folder} {options} && cmake --build {folder} && ctest --test-dir {folder}"
        )
        done = subprocess.run(
            command, shell=True, cwd=out, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_any_tensor_may_be_the_output(tmp_path: Path) -> None:
    graph = classifier(reals=True)
    (convolution,) = (op for op in graph.ops if op.kind == "CONV_2D")
    taken = without_head(open_model(write(graph, tmp_path), str(convolution.outputs[0])))
    assert taken.graph.output.shape == (1, 8, 8, 12)
    assert taken.source == convolution.outputs[0]


def test_what_does_not_fit_is_said_and_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "small.toml"
    text = (Path(oracle.__file__).parent / "boards" / "nucleo_f446re.toml").read_text()
    board.write_text(text.replace("ram_bytes = 131_072", "ram_bytes = 8448"))
    assert "8448" in board.read_text()
    options = ["--inference-only", "--device", board, "--out", tmp_path / "out"]
    model = write(classifier(), tmp_path)
    assert main([str(model), *map(str, options)]) == 3
    assert "does not fit: ram: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("graph", [classifier(reals=True), classifier("float32")])
def test_a_classifier_is_verified_on_its_owners_images(
    graph: Graph, images: Path, tmp_path: Path
) -> None:
    model, out = write(graph, tmp_path), tmp_path / "out"
    assert generate(model, "--out", out, "--golden", images, "--verify") == 0
    assert "on the inputs of mine.npy, equal to" in (out / "README.md").read_text()


def test_a_difference_is_a_failure_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write(classifier(), tmp_path)
    right = oracle.features

    def wrong(*arguments: object) -> np.ndarray:
        features = right(*arguments)
        features[1, 3] ^= 1
        return features

    monkeypatch.setattr(oracle, "features", wrong)
    assert generate(model, "--out", tmp_path / "out", "--verify") == 1
    said = capsys.readouterr().err
    assert (
        "--verify: 1 of 48 features differ from TensorFlow Lite Micro's, in 1 of 4 inputs" in said
    )
    assert "(1, 3): " in said
    assert not (tmp_path / "out").exists()


def test_where_the_oracle_is_missing_or_has_no_such_tensor_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = split(open_model(write(last_convolution("MEAN", reals=False), tmp_path)))
    image = parts.extractor.input
    codes = np.zeros((1, *image.shape[1:]), np.int8)
    with pytest.raises(oracle.OracleError, match="an average that the file does not hold"):
        oracle.features(b"", parts.source, codes, image)
    monkeypatch.setitem(__import__("sys").modules, "tflite_micro.python.tflite_micro", None)
    with pytest.raises(oracle.OracleError, match="pip install tflite-micro"):
        oracle.features(b"", 0, codes, image)


def test_an_oracle_that_aborts_takes_nothing_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = split(open_model(write(classifier(), tmp_path)))
    codes = np.zeros((1, *parts.extractor.input.shape[1:]), np.int8)
    monkeypatch.setattr(oracle, "_run", _abort)
    content = to_flatbuffer(classifier())
    with pytest.raises(oracle.OracleError, match="aborts on this file"):
        oracle.features(content, parts.source, codes, parts.extractor.input)


def _abort(*_: object) -> None:
    faulthandler.disable()  # what it says of an abort that is meant looks like one that is not
    os.abort()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--inference-only", "--new-head", "3"], "--new-head: is of a head"),
        (["--inference-only", "--class-names", "a,b"], "--class-names: is of a head"),
        (["--inference-only", "--passes", "1"], "--passes: is of a head"),
        (["--inference-only", "--loss", "cross_entropy"], "--loss: is of a head"),
        (
            ["--verify", "--golden-features", "f.npy", "--golden", "f.npy"],
            "--verify: asks the oracle",
        ),
    ],
)
def test_options_that_do_not_go_together_are_named(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.npy").write_bytes(b"")
    assert generate(write(classifier(), tmp_path), "--out", "x", *options) == 2
    assert message in capsys.readouterr().err
