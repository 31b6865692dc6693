"""The generated project driven from NumPy."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from codegen.toolchain.host import HostModel, Shape
from codegen.toolchain.library import build, is_whole, load
from codegen.toolchain.run import ToolchainError
from tests.codegen.conftest import BOARDS, identity_project
from tests.support.damage import damages
from tests.support.mobile import CLASSES, FEATURES, SIDE, mobile_project, to_codes


@pytest.fixture(scope="module")
def tree(tmp_path_factory, sample):
    """A small MobileNetV3 with 8 golden images; the project and its folder."""
    images = sample.split("test").pixels[:8]
    project = mobile_project(BOARDS["cortex-m4"], images, Tybox(0.002), 5)
    folder = tmp_path_factory.mktemp("host") / "mobile"
    emit(project, folder)
    return project, folder


@pytest.fixture
def model(tree):
    return HostModel(tree[1])


def test_features_are_the_oracles(tree, model):
    golden = tree[0].golden
    np.testing.assert_array_equal(model.features(golden.inputs), golden.features)


def test_batches_are_rows(tree, model, sample):
    images = to_codes(sample.split("validation").pixels[:5])
    features = model.features(images)
    assert features.shape == (5, FEATURES)
    assert features.dtype == np.int8
    for image, row in zip(images, features, strict=True):
        np.testing.assert_array_equal(model.features(image[np.newaxis])[0], row)
    assert model.features(images[:0]).shape == (0, FEATURES)
    strided = np.repeat(images, 2, axis=0)[::2]
    np.testing.assert_array_equal(model.features(strided), features)
    logits = model.logits(features)
    assert logits.shape == (5, CLASSES)
    assert logits.dtype == np.float32
    for row, expected in zip(features, logits, strict=True):
        np.testing.assert_array_equal(model.logits(row[np.newaxis])[0], expected)


def test_shape(tree, model):
    assert model.shape == Shape(
        image=(SIDE, SIDE, 3),
        features=FEATURES,
        classes=CLASSES,
        buffer_samples=5,
        image_dtype=np.dtype(np.int8),
        feature_dtype=np.dtype(np.int8),
    )


def test_models_of_one_library_do_not_share_what_they_learn(tree, model):
    other = HostModel(tree[1])
    features = tree[0].golden.features
    for label, row in enumerate(features[:3]):
        model.learn(row, label)
    assert (model.buffer_count, other.buffer_count) == (3, 0)
    weights, bias = other.head()
    np.testing.assert_array_equal(weights, tree[0].head.weights)
    np.testing.assert_array_equal(bias, tree[0].head.bias)
    assert not np.array_equal(model.head()[0], weights)


def test_head_is_a_copy(model, tree):
    weights, bias = model.head()
    model.learn(tree[0].golden.features[0], 1)
    np.testing.assert_array_equal(weights, tree[0].head.weights)
    np.testing.assert_array_equal(bias, tree[0].head.bias)


def test_reset_brings_everything_back(tree, model):
    features = tree[0].golden.features
    rate = model.knobs["learning_rate"]
    assert rate == np.float32(0.002)
    before = model.logits(features)
    model.set_knob("learning_rate", 0.5)
    assert model.knobs == {"learning_rate": 0.5}
    for label, row in enumerate(features):
        model.learn(row, label)
    assert model.buffer_count == 5
    assert not np.array_equal(model.logits(features), before)
    model.reset()
    assert model.buffer_count == 0
    assert model.knobs == {"learning_rate": rate}
    np.testing.assert_array_equal(model.logits(features), before)


def test_float_extractor(emit_identity):
    project, folder = emit_identity(dtype="float32")
    model = HostModel(folder)
    np.testing.assert_array_equal(model.features(project.golden.inputs), project.golden.features)
    expected = project.golden.features @ project.head.weights.T + project.head.bias
    np.testing.assert_allclose(model.logits(project.golden.features), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.features(np.zeros((2, 32, 32, 3), np.uint8)), r"images: must be int8 \(N, 32"),
        (lambda m: m.features(np.zeros((32, 32, 3), np.int8)), "images: must be"),
        (lambda m: m.features(np.zeros((2, 16, 16, 3), np.int8)), r"got int8 \(2, 16, 16, 3\)"),
        (
            lambda m: m.logits(np.zeros((2, FEATURES), np.float32)),
            r"features: must be int8 \(N, 46",
        ),
        (lambda m: m.predict(np.zeros((2, 45), np.int8)), r"got int8 \(2, 45\)"),
        (lambda m: m.learn(np.zeros((1, FEATURES), np.int8), 0), "features: must be"),
        (
            lambda m: m.learn(np.zeros(FEATURES, np.int8), CLASSES),
            r"label: must be in 0\.\.9; got 10",
        ),
        (lambda m: m.learn(np.zeros(FEATURES, np.int8), -1), "label: must be in"),
        (
            lambda m: m.set_knob("learning_rate", 0.0),
            r"learning_rate: must be in 1\.18e-38\.\.1e\+06",
        ),
        (
            lambda m: m.set_knob("learning_rate", 1e-39),
            r"learning_rate: must be in 1\.18e-38\.\.1e\+06",
        ),
        (
            lambda m: m.set_knob("learning_rate", 2e6),
            r"learning_rate: must be in 1\.18e-38\.\.1e\+06",
        ),
        (
            lambda m: m.set_knob("learning_rate", float("nan")),
            r"learning_rate: must be in 1\.18e-38\.\.1e\+06",
        ),
    ],
)
def test_what_does_not_fit_is_refused(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)
    assert model.buffer_count == 0


# --- building ------------------------------------------------------------------------------------


def test_a_library_is_built_once_for_the_same_sources(emit_identity, tmp_path):
    _, folder = emit_identity()
    first = build(folder, tmp_path)
    stamp = first.stat().st_mtime_ns
    assert build(folder, tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    head = folder / "src" / "head.cpp"
    head.write_text(head.read_text() + "// changed\n")
    assert build(folder, tmp_path) != first
    assert sorted(tmp_path.glob("*.part")) == []


def test_no_partial_library_is_left_by_a_failed_build(emit_identity, tmp_path):
    _, folder = emit_identity()
    (folder / "src" / "model.cpp").write_text("this is no program\n")
    with pytest.raises(ToolchainError, match=r"exit code 1[\s\S]*model\.cpp"):
        HostModel(folder, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small project, the folder of its library, and the library's bytes."""
    project = identity_project()
    folder = tmp_path_factory.mktemp("built")
    emit(project, folder / "project")
    return folder / "project", build(folder / "project", folder / "host").read_bytes()


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_library_that_is_damaged_is_not_taken_for_a_whole_one(built, tmp_path_factory, data):
    damaged = data.draw(damages(built[1]))
    assume(damaged != built[1])
    path = tmp_path_factory.mktemp("damaged") / "library.so"
    path.write_bytes(damaged)
    assert not is_whole(path)
    path.write_bytes(built[1])
    assert is_whole(path)


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_half_written_library_is_built_anew(built, tmp_path, caplog, size):
    """In this very process: it would not live on if the loader saw the half."""
    library = build(built[0], tmp_path)
    library.write_bytes(built[1][:size] + bytes(len(built[1]) // 2))
    model = HostModel(built[0], tmp_path)
    assert model.shape.classes == 5
    assert f"{library}: damaged; it is built anew" in caplog.text
    assert is_whole(library)
    assert [path.name for path in tmp_path.iterdir()] == [library.name]


def test_a_missing_compiler_is_named(emit_identity, tmp_path, monkeypatch):
    _, folder = emit_identity()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"g\+\+ not found on the PATH: apt-get install g\+\+"):
        HostModel(folder, tmp_path)


def test_the_projects_own_build_gives_the_same_library_functions(tree, tmp_path):
    """The library of the project's CMakeLists.txt works where codegen.toolchain.host's own does."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed: apt-get install cmake")
    from codegen.toolchain import run as toolchain

    toolchain.run(["cmake", "-S", str(tree[1]), "-B", "."], tmp_path, 60)
    toolchain.run(["cmake", "--build", ".", "--target", "tinyml_host"], tmp_path, 300)
    library = load(tmp_path / "libtinyml_host.so")
    golden = tree[0].golden
    out = np.empty_like(golden.features)
    library.tinyml_features(golden.inputs.ctypes.data, len(out), out.ctypes.data)
    np.testing.assert_array_equal(out, golden.features)
