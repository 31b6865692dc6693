"""``python -m codegen``: a stranger's classifier becomes a project that builds and passes its test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from codegen.__main__ import main
from codegen.frontend.cut import split, with_new_head
from codegen.frontend.read import open_model, read_as_written
from codegen.ir import Graph, ModelError, Op, Tensor
from codegen.ops.quantize import to_codes
from tests.support.extractors import oracle
from tests.support.models import to_flatbuffer, with_entry
from tests.support.needs import needs_cmake
from tools.graphs.builder import Builder

ROOT = Path(__file__).parents[2]
CONV = {
    "padding": "SAME",
    "stride_h": 1,
    "stride_w": 1,
    "fused_activation": "RELU",
    "dilation_h": 1,
    "dilation_w": 1,
}


def classifier(
    dtype: str = "int8",
    *,
    classes: int = 5,
    reals: bool = False,
    tail: str = "SOFTMAX",
    head: str = "FULLY_CONNECTED",
    activation: str = "NONE",
) -> Graph:
    """Convolution, mean and a last layer, as converters write it; ``reals`` at both ends or not."""
    rng = np.random.default_rng(3)
    b = Builder(rng, dtype)
    image = (1, 8, 8, 3)
    source = b.activation(image, 1 / 64, 0, "float32" if reals else None)
    x = b.operator("QUANTIZE", (source,), b.activation(image, 1 / 64, 0)) if reals else source

    def weights(shape: tuple[int, ...]) -> int:
        codes = rng.integers(-127, 128, shape)
        if dtype == "float32":
            return b.constant((codes / 1000).astype(np.float32))
        return b.constant(codes.astype(np.int8), tuple(rng.uniform(0.002, 0.02, shape[0])))

    def biases(count: int) -> int:
        codes = rng.integers(-500, 500, count)
        if dtype == "float32":
            return b.constant((codes / 1000).astype(np.float32))
        return b.constant(codes.astype(np.int32))

    x = b.operator(
        "CONV_2D", (x, weights((12, 3, 3, 3)), biases(12)), b.activation((1, 8, 8, 12)), **CONV
    )
    axes = b.constant(np.array([1, 2], np.int32))
    kept = head == "CONV_2D"
    pooled = (1, 1, 1, 12) if kept else (1, 12)
    x = b.operator("MEAN", (x, axes), b.activation(pooled, 0.02), keep_dims=kept)
    if head == "CONV_2D":
        y = b.activation((1, 1, 1, classes), 0.05)
        options = {**CONV, "fused_activation": "NONE"}
        b.operator("CONV_2D", (x, weights((classes, 1, 1, 12)), biases(classes)), y, **options)
        flat = b.activation((1, classes), 0.05, b.tensors[y].quantization.zero_points[0])
        x = b.operator("RESHAPE", (y,), flat)
    else:
        y = b.activation((1, classes), 0.05)
        inputs = (x, weights((classes, 12)), biases(classes))
        x = b.operator("FULLY_CONNECTED", inputs, y, fused_activation=activation)
    if tail:
        options = {"beta": 1.0} if tail == "SOFTMAX" else {}
        x = b.operator(tail, (x,), b.activation((1, classes), 1 / 256, -128), **options)
    if reals:
        x = b.operator("DEQUANTIZE", (x,), b.activation((1, classes), dtype="float32"))
    return b.graph(source, x)


def write(graph: Graph, folder: Path, name: str = "model.tflite") -> Path:
    path = folder / name
    path.write_bytes(to_flatbuffer(graph))
    return path


def generate(model: Path, *options: object) -> int:
    return main([str(model), "--device", "nucleo_l4r5zi", *map(str, options)])


# --- taking a classifier apart -------------------------------------------------------------------


@pytest.mark.parametrize("head", ["FULLY_CONNECTED", "CONV_2D"])
@pytest.mark.parametrize("reals", [False, True])
def test_extractor_and_head_compute_what_the_whole_does(head: str, reals: bool) -> None:
    whole = read_as_written(to_flatbuffer(classifier(reals=reals, head=head)))
    parts = split(whole)
    assert parts.head_kind == head
    assert parts.extractor.output.shape == (1, 12)
    rng = np.random.default_rng(0)
    images = rng.uniform(-2, 2, (20, 8, 8, 3)).astype(np.float32)
    codes = to_codes(parts.extractor.input, images)
    features = oracle(to_flatbuffer(parts.extractor), codes)
    found = oracle(to_flatbuffer(whole), images if reals else codes).reshape(20, 5)
    quantization = parts.extractor.output.quantization
    real = (features - quantization.zero_points[0]) * np.float32(quantization.scales[0])
    logits = real @ parts.head.weights.T + parts.head.bias
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = found if reals else (found.astype(np.float32) + 128) / 256
    # The whole rounds its logits to codes of 0.05 each, and probabilities to 1/256.
    assert np.abs(probabilities - expected).max() < 0.02
    assert np.ptp(expected) > 0.2


def test_weights_are_scale_times_code() -> None:
    graph = classifier()
    op = next(op for op in graph.ops if op.kind == "FULLY_CONNECTED")
    weights, bias = graph.tensors[op.inputs[1]], graph.tensors[op.inputs[2]]
    scales = np.array(weights.quantization.scales)
    head = split(graph).head
    np.testing.assert_array_equal(
        head.weights, (weights.data * scales[:, np.newaxis]).astype(np.float32)
    )
    source = graph.tensors[op.inputs[0]].quantization.scales[0]
    np.testing.assert_array_equal(head.bias, (bias.data * source * scales).astype(np.float32))


def test_a_single_sigmoid_becomes_two_classes() -> None:
    head = split(classifier(classes=1, tail="LOGISTIC")).head
    assert head.classes == 2
    assert not head.weights[0].any()
    assert head.weights[1].any()


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (classifier(classes=1), "has 1 outputs; a head has 2 to 256"),
        (classifier(classes=257), "has 257 outputs"),
        (classifier(tail="LOGISTIC"), "5 independent sigmoid outputs"),
        (classifier(tail="RELU6"), "must be FULLY_CONNECTED.* it is RELU6 .*--new-head"),
        (classifier(tail="", classes=3, activation="RELU"), "has the fused activation RELU"),
    ],
)
def test_what_is_no_classifier_is_refused_with_advice(graph: Graph, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        split(graph)


def test_a_new_head_takes_the_place_of_the_old_one() -> None:
    """It reads what the last layer read, whatever followed that and however many outputs it had."""
    for graph in (classifier(classes=257, reals=True, tail=""), classifier(head="CONV_2D")):
        parts = with_new_head(graph, 3)
        assert parts.head.weights.shape == (3, 12)
        assert not parts.head.weights.any()
        assert parts.extractor.output.dtype == parts.extractor.input.dtype == "int8"
        assert parts.extractor.ops[-1].kind in ("MEAN", "RESHAPE")
        assert parts.dropped[-1] in ("DEQUANTIZE", "SOFTMAX")
    with pytest.raises(ModelError, match="2 to 256 classes; got 1"):
        with_new_head(classifier(), 1)


def test_a_new_head_follows_what_is_no_linear_layer_or_the_cut() -> None:
    hidden = classifier(tail="", activation="RELU")
    assert with_new_head(hidden, 3).head.features == 5
    whole = classifier(reals=True)
    assert with_new_head(whole, 3).head.features == 12
    assert with_new_head(whole, 3, cut=True).head.features == 5
    model = to_flatbuffer(whole)
    (convolution,) = (op for op in whole.ops if op.kind == "CONV_2D")
    name = whole.tensors[convolution.outputs[0]].name
    for end in (name, str(convolution.outputs[0])):
        parts = with_new_head(open_model(model, end), 3, cut=True)
        assert parts.head.features == 8 * 8 * 12
        assert [op.kind for op in parts.extractor.ops] == ["CONV_2D", "RESHAPE"]
    with pytest.raises(ModelError, match=rf"called 'nothing'; .*'{name}' .number"):
        open_model(model, "nothing")


def last_convolution(pool: str, *, reals: bool, kernel: int = 1) -> Graph:
    """A last convolution, 1x1 and then averaged, or as large as its map."""
    b = Builder(np.random.default_rng(8), "float32" if reals else "int8")
    source = b.activation((1, 6, 6, 3), 0.02, 5)
    codes = b.rng.integers(-127, 128, (4, kernel, kernel, 3))
    weights = (
        b.constant((codes / 99).astype(np.float32))
        if reals
        else b.constant(codes.astype(np.int8), tuple(b.rng.uniform(0.005, 0.02, 4) / kernel))
    )
    side = 7 - kernel
    options = {**CONV, "fused_activation": "NONE", "padding": "VALID"}
    x = b.operator(
        "CONV_2D", (source, weights), b.activation((1, side, side, 4), 0.05, -7), **options
    )
    if pool == "MEAN":
        axes = b.constant(np.array([1, 2], np.int32))
        x = b.operator("MEAN", (x, axes), b.activation((1, 4), 0.05, -7), keep_dims=False)
    if pool == "AVERAGE_POOL_2D":
        window = {"filter_h": 6, "filter_w": 6, "stride_h": 1, "stride_w": 1}
        y = b.activation((1, 1, 1, 4), 0.05, -7)
        b.operator(pool, (x,), y, padding="VALID", fused_activation="NONE", **window)
        x = y
    flat = b.operator("RESHAPE", (x,), b.activation((1, 4), 0.05, -7))
    output = b.operator("SOFTMAX", (flat,), b.activation((1, 4), 1 / 256, -128), beta=1.0)
    return b.graph(source, output)


@pytest.mark.parametrize("reals", [False, True])
@pytest.mark.parametrize(("pool", "kernel"), [("MEAN", 1), ("AVERAGE_POOL_2D", 1), ("", 6)])
def test_a_last_convolution_is_a_head_where_it_is_averaged_or_covers_its_map(
    pool: str, kernel: int, reals: bool
) -> None:
    whole = read_as_written(to_flatbuffer(last_convolution(pool, reals=reals, kernel=kernel)))
    parts = split(whole)
    assert parts.extractor.output.shape == (1, 3 if kernel == 1 else 6 * 6 * 3)
    images = np.random.default_rng(1).integers(-128, 128, (9, 6, 6, 3)).astype(np.int8)
    features = oracle(
        to_flatbuffer(parts.extractor), images if not reals else images / np.float32(50)
    )
    real = features if reals else np.float32(0.02) * (features.astype(np.float32) - 5)
    logits = real @ parts.head.weights.T + parts.head.bias
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = oracle(to_flatbuffer(whole), images if not reals else images / np.float32(50))
    expected = found if reals else (found.astype(np.float32) + 128) / 256
    # In int8 the mean has codes of 0.02, the whole's logits of 0.05.
    assert np.abs(probabilities - expected).max() < (1e-5 if reals else 0.08)
    assert np.ptp(expected) > 0.2


@pytest.mark.parametrize("kind", ["LOG_SOFTMAX", "ARG_MAX"])
def test_what_only_names_the_likeliest_class_is_dropped(kind: str) -> None:
    graph = classifier(tail="")
    axis = Tensor("axis", (), "int32", constant=True, data=np.asarray(1, np.int32))
    end = Tensor("end", (1,), "int32") if kind == "ARG_MAX" else Tensor("end", (1, 5), "int8")
    count = len(graph.tensors)
    operands = (graph.outputs[0], count) if kind == "ARG_MAX" else graph.outputs
    last = Op(kind, operands, (count + 1,))
    longer = replace(
        graph, tensors=(*graph.tensors, axis, end), ops=(*graph.ops, last), outputs=(count + 1,)
    )
    parts = split(open_model(to_flatbuffer(longer)))
    assert parts.dropped == (kind,)
    assert not parts.note
    assert "--inference-only" in split(graph).note
    np.testing.assert_array_equal(parts.head.weights, split(graph).head.weights)


def test_vectors_and_windows_of_time_become_images() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 20, 6), 0.05, 0)
    axes = b.constant(np.array([1], np.int32))
    features = b.operator("MEAN", (source, axes), b.activation((1, 6)), keep_dims=False)
    assert with_new_head(b.graph(source, features), 2).extractor.input.shape == (1, 1, 20, 6)


# --- the command ---------------------------------------------------------------------------------


@needs_cmake
def test_without_hydra_and_torch_a_project_is_written_that_passes_its_test(tmp_path: Path) -> None:
    """In a process of its own, where importing them or TensorFlow is an error."""
    model = write(classifier(reals=True), tmp_path)
    banned = tmp_path / "banned"
    for name in ("hydra", "omegaconf", "torch", "tensorflow", "tflite_micro", "tinyml_nas"):
        (banned / name).mkdir(parents=True)
        (banned / name / "__init__.py").write_text(f"raise ImportError('{name} is banned')\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "codegen", "model.tflite", "--device", "nucleo_l4r5zi"),
            *("--out", "project", "--report", "report.json", "--class-names", "a,b,c,d,e"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{banned}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "FULLY_CONNECTED 12 -> 5, as float32" in done.stdout
    assert "QUANTIZE, SOFTMAX, DEQUANTIZE: codes in, logits out" in done.stdout
    assert "as many as fit" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["fits"]
    assert report["ram"]["limit"] - 16 < report["ram"]["all"] <= report["ram"]["limit"]
    readme = (tmp_path / "project" / "README.md").read_text()
    assert "this project's own code, run on a computer" in readme
    build = "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure"
    built = subprocess.run(
        build, shell=True, cwd=tmp_path / "project", capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert model.exists()


@needs_cmake
def test_a_new_head_learns_from_nothing(tmp_path: Path) -> None:
    model, project = write(classifier(tail=""), tmp_path), tmp_path / "project"
    assert generate(model, "--new-head", 3, "--out", project) == 0
    build = "cmake -B build && cmake --build build --target self_test && build/self_test"
    subprocess.run(build, shell=True, cwd=project, check=True, capture_output=True)


def test_an_oracles_features_are_held_against_given_images(tmp_path: Path) -> None:
    model = write(classifier(), tmp_path)
    parts = split(read_as_written(model))
    images = np.random.default_rng(0).uniform(-2, 2, (3, 8, 8, 3)).astype(np.float32)
    codes = to_codes(parts.extractor.input, images)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "features.npy", oracle(to_flatbuffer(parts.extractor), codes))
    vectors = ["--golden", tmp_path / "images.npy", "--golden-features", tmp_path / "features.npy"]
    assert generate(model, "--out", tmp_path / "project", *vectors) == 0
    text = (tmp_path / "project" / "test" / "golden.hpp").read_text()
    assert "kImages = 3;" in text
    assert f" {codes[0, 0, 0, 0]}," in text


@pytest.fixture
def no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden features of zeros: real ones take a compiler's time, and are another test's."""
    monkeypatch.setattr(
        "codegen.golden.host_features",
        lambda project, images: np.zeros(
            (len(images), project.head.features), project.graph.output.dtype
        ),
    )


def with_metadata(model: bytes, mean: Sequence[float], std: Sequence[float]) -> bytes:
    """The model with TensorFlow Lite's metadata, which states a normalisation of its input."""
    builder = flatbuffers.Builder(0)

    def table(*fields: tuple[int, str, int]) -> int:
        builder.StartObject(1 + max(slot for slot, _, _ in fields))
        for slot, kind, value in fields:
            getattr(builder, f"Prepend{kind}Slot")(slot, value, 0)
        return int(builder.EndObject())

    def vector(*tables: int) -> int:
        builder.StartVector(4, len(tables), 4)
        for offset in reversed(tables):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    rows = [builder.CreateNumpyVector(np.array(row, np.float32)) for row in (mean, std)]
    options = table((0, "UOffsetTRelative", rows[0]), (1, "UOffsetTRelative", rows[1]))
    unit = table((0, "Uint8", 1), (1, "UOffsetTRelative", options))
    tensor = table((4, "UOffsetTRelative", vector(unit)))
    subgraph = table((2, "UOffsetTRelative", vector(tensor)))
    builder.Finish(table((3, "UOffsetTRelative", vector(subgraph))), b"M001")
    return with_entry(model, "TFLITE_METADATA", bytes(builder.Output()))


@pytest.mark.usefixtures("no_features")
def test_the_normalisation_is_the_files_or_as_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng()
    mean, std = rng.uniform(90, 130, 3).round(2).tolist(), rng.uniform(50, 70, 3).round(2).tolist()
    path = write(classifier("float32"), tmp_path)
    content, out = path.read_bytes(), tmp_path / "project"
    assert generate(path, "--out", out) == 0
    assert "no load_image: how the training normalised" in capsys.readouterr().out
    assert "Generate with `--mean` and `--std`" in (out / "README.md").read_text()
    path.write_bytes(with_metadata(content, mean, std))
    assert generate(path, "--out", out) == 0
    shown = f"mean {mean[0]:g}, {mean[1]:g}, {mean[2]:g}, std {std[0]:g}, {std[1]:g}, {std[2]:g}"
    assert f"{shown} (by the file's metadata)" in capsys.readouterr().out
    assert shown in (out / "README.md").read_text()
    assert generate(path, "--out", out, "--mean", "10", "--std", "20,30,40") == 0
    assert "mean 10, std 20, 30, 40 (--mean and --std)" in (out / "README.md").read_text()
    damaged = bytearray(with_metadata(content, mean, std))
    start = damaged.find(b"M001") - 4
    damaged[start : start + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(damaged))
    assert generate(path, "--out", out) == 0


def test_a_float_model_stays_float(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write(classifier("float32"), tmp_path)
    assert generate(model, "--dry-run") == 0
    assert "float32, image 8x8x3\n" in capsys.readouterr().out


@pytest.mark.usefixtures("no_features")
def test_what_does_not_fit_is_said_in_bytes_and_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out, report = write(classifier(), tmp_path), tmp_path / "out", tmp_path / "r.json"
    options = ["--out", out, "--buffer-samples", 10_000_000, "--report", report]
    assert generate(model, *options) == 3
    said = capsys.readouterr().err
    figures = json.loads(report.read_text())
    missing, most = figures["missing"]["ram"], figures["learner"]["most_buffer_samples"]
    assert f"{missing:,} too many; the largest part is buffer" in said
    assert f"a buffer of {most:,} samples would fit" in said
    assert not out.exists()
    assert generate(model, "--dry-run", "--buffer-samples", most) == 0
    assert generate(model, "--dry-run", "--buffer-samples", most + 1) == 3
    assert generate(model, *options, "--force") == 0
    assert (out / "CMakeLists.txt").exists()


def test_a_missing_compiler_is_a_failure_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    model = write(classifier(), tmp_path)
    assert generate(model, "--dry-run") == 0
    assert generate(model, "--out", tmp_path / "out") == 1
    assert "g++" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", [["a"] * 5, ["a very long name of a class"] * 5])
def test_names_of_classes_count_in_the_flash(tmp_path: Path, names: list[str]) -> None:
    report = tmp_path / "report.json"
    options = ["--dry-run", "--class-names", ",".join(names), "--report", report]
    assert generate(write(classifier(), tmp_path), *options) == 0
    flash = json.loads(report.read_text())["flash"]
    text = sum(len(name) + 1 for name in names) + 1
    assert 0 <= flash["names"] + 4 - text < 4
    assert flash["all"] == sum(size for part, size in flash.items() if part not in ("all", "limit"))


@pytest.mark.usefixtures("no_features")
def test_edited_files_are_named_before_any_work_and_added_ones_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, out = write(classifier(), tmp_path), tmp_path / "out"
    assert generate(model, "--out", out) == 0
    (out / "user").mkdir()
    (out / "user" / "port.cpp").write_text("mine")
    another = write(classifier(classes=3), tmp_path, "another.tflite")
    assert generate(another, "--out", out, "--class-names", "a,b,c") == 0
    assert "Classes: 0 a, 1 b, 2 c." in (out / "README.md").read_text()
    (out / "platform" / "main.cpp").write_text("edited")
    with monkeypatch.context() as patch:
        patch.setattr("codegen.golden.host_features", lambda *_: pytest.fail("worked too early"))
        assert generate(another, "--out", out) == 2
    said = capsys.readouterr().err
    assert "platform/main.cpp (edited)." in said
    assert said.endswith("or overwrite (--overwrite)\n")
    assert (out / "platform" / "main.cpp").read_text() == "edited"
    assert generate(another, "--out", out, "--overwrite") == 0
    assert "int main()" in (out / "platform" / "main.cpp").read_text()
    assert (out / "user" / "port.cpp").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--out: which folder"),
        (["--out", "x", "--golden-features", "model.tflite"], "needs the images"),
        (["--dry-run", "--class-names", "a,b"], "has 5 classes; got 2 names"),
        (["--dry-run", "--device", "nowhere"], "device: must be one of"),
        (["--dry-run", "--cut", "t3"], "--cut: where the model ends; --new-head N"),
        (["--dry-run", "--mean", "128"], "--mean: goes with --std"),
        (["--dry-run", "--mean", "0.5", "--std", "0.25"], "give 255 times mean and std"),
        (["--dry-run", "--mean", "128,128", "--std", "64"], "input's 3 channels; got 2"),
        (["--dry-run", "--mean", "0", "--std", "5000"], "they are of another training"),
        (["--dry-run", "--output", "t99"], "no operator writes a tensor called 't99'"),
    ],
)
def test_wrong_options_are_named(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert generate(write(classifier(), tmp_path), *options) == 2
    assert message in capsys.readouterr().err


def test_bytes_of_pixels_are_refused_as_golden_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "pixels.npy", np.zeros((1, 8, 8, 3), np.uint8))
    options = ["--out", tmp_path / "out", "--golden", tmp_path / "pixels.npy"]
    assert generate(write(classifier(), tmp_path), *options) == 2
    assert "must hold int8 codes, or float32 reals; it holds uint8" in capsys.readouterr().err


def test_a_damaged_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(to_flatbuffer(classifier())[:300])
    assert generate(path, "--dry-run") == 2
    assert "cut.tflite: truncated or corrupt" in capsys.readouterr().err


def test_boards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-devices"]) == 0
    assert "nucleo_l4r5zi" in capsys.readouterr().out


def test_a_label_that_takes_long_is_told_with_the_option_that_bounds_it(tmp_path, capsys) -> None:
    model = write(classifier(classes=40), tmp_path)
    said = [str(model), "--device", "pico", "--dry-run"]
    assert main(said) == 0
    (told,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("slow:"))
    option = told.partition("; with ")[2].split()[:2]
    assert option[0] == "--replayed"
    assert main([*said, *option]) == 0
    assert "slow:" not in capsys.readouterr().out
