"""A residual network from Keras through the converter: reals in, probabilities out, as strangers do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accepted import try_model
from codegen.__main__ import main
from codegen.frontend.cut import split
from codegen.frontend.flatbuffer import Table
from codegen.frontend.read import read_as_written
from codegen.frontend.schema import IDENTIFIER
from codegen.ir import ModelError
from codegen.ops.quantize import to_codes
from codegen.toolchain.host import HostModel
from tests.support.extractors import oracle
from tests.support.hostile import compile_all_the_way
from tests.support.models import to_flatbuffer
from tests.support.needs import needs_cmake
from tools.guides import export as guides
from tools.guides.networks import NETWORKS

pytestmark = [
    pytest.mark.slow,  # Keras and the converter take a quarter of a minute
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected"),
]
SIDE, CLASSES, IMAGES, FLIPS = 16, 10, 40, 400


@pytest.fixture(scope="module")
def model() -> bytes:
    """Residual blocks, average pooling, a softmax; int8 inside and float32 at both ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf
    from keras import layers

    keras.utils.set_random_seed(1)
    source = layers.Input((SIDE, SIDE, 3), batch_size=1)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    for width, stride in ((8, 1), (16, 2)):
        y = layers.Conv2D(width, 3, stride, padding="same", activation="relu")(x)
        y = layers.Conv2D(width, 3, padding="same")(y)
        x = layers.Conv2D(width, 1, stride)(x) if stride > 1 else x
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(SIDE // 2)(x))
    spread = keras.initializers.RandomNormal(stddev=4.0, seed=2)  # so that classes stand apart
    output = layers.Dense(CLASSES, activation="softmax", kernel_initializer=spread)(x)
    rng = np.random.default_rng(0)

    def calibration():
        for _ in range(20):
            yield [images(rng, 1)]

    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(source, output))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def images(rng: np.random.Generator, count: int) -> np.ndarray:
    """Noise of random contrast and colour."""
    noise = rng.uniform(-1, 1, (count, SIDE, SIDE, 3)) * rng.uniform(0.1, 1, (count, 1, 1, 1))
    return np.clip(noise + rng.normal(0, 0.5, (count, 1, 1, 3)), -1, 1).astype(np.float32)


@needs_cmake
def test_the_project_predicts_what_the_model_does(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "resnet.tflite").write_bytes(model)
    project = tmp_path / "project"
    options = ["--device", "nucleo_f446re", "--out", str(project)]
    assert main([str(tmp_path / "resnet.tflite"), *options]) == 0
    built = subprocess.run(
        "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure",
        shell=True,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    parts = split(read_as_written(model))
    assert parts.dropped == ("QUANTIZE", "SOFTMAX", "DEQUANTIZE")
    reals = images(np.random.default_rng(3), IMAGES)
    codes = to_codes(parts.extractor.input, reals)
    host = HostModel(project)
    features = host.features(codes)
    np.testing.assert_array_equal(features, oracle(to_flatbuffer(parts.extractor), codes))
    found = np.exp(host.logits(features))
    found /= found.sum(axis=1, keepdims=True)
    expected = oracle(model, reals)
    assert np.abs(found - expected).max() < 0.05  # the whole model rounds its logits to codes
    clear = np.sort(expected)[:, -1] - np.sort(expected)[:, -2] > 0.1
    assert clear.sum() > IMAGES / 4
    np.testing.assert_array_equal(host.predict(features)[clear], expected.argmax(axis=1)[clear])
    assert len(np.unique(expected.argmax(axis=1))) > 1


def test_flipped_bytes_are_refused_or_give_a_sound_program(model: bytes) -> None:
    """Bytes all over what is not weights: tables, offsets, names, shapes, scales."""
    structure = np.ones(len(model), bool)
    for buffer in Table.root(model, IDENTIFIER).tables(4, 1 << 14):
        start, count = buffer._vector(0, 1, None)
        structure[start : start + count] = count < 64
    positions = np.flatnonzero(structure)
    refused = 0
    for position in positions[:: len(positions) // FLIPS]:
        for value in (0xFF, 1 << int(position) % 8):
            flipped = bytearray(model)
            flipped[position] ^= value
            try:
                compile_all_the_way(bytes(flipped))
            except ModelError:
                refused += 1
    assert FLIPS / 4 < refused < 2 * FLIPS


@pytest.mark.parametrize(
    ("name", "export"), [("quantization_guide", "uint8"), ("tabular", "float")]
)
def test_a_network_of_the_guides_is_taken_as_todays_keras_exports_it(
    name: str, export: str, tmp_path: Path
) -> None:
    model = guides.convert(guides.build(name), NETWORKS[name], export)
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(model)
    row = try_model(path, "", tmp_path)
    assert (row.kind, row.outcome) == ("FULLY_CONNECTED head", "equal")
