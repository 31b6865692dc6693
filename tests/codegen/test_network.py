"""A whole MobileNetV3, trained by nobody, from Keras through the converter to C++."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.frontend.read import parse, read
from codegen.plan import plan
from tests.support.extractors import compile_extractors, oracle

pytestmark = [
    pytest.mark.slow,  # Keras and the converter take half a minute
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected"),
]

SIDE, FEATURES = 32, 128
INT8_INPUTS, FLOAT_INPUTS = 200, 20


@dataclass(frozen=True)
class Models:
    """The same network as two flatbuffers."""

    int8: bytes
    float32: bytes


@pytest.fixture(scope="module")
def models() -> Models:
    """Stem, inverted residuals with squeeze-and-excitation, pooling, feature mix."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    inputs = keras.layers.Input((SIDE, SIDE, 3), batch_size=1)
    x = _conv(inputs, 16, 3, 2, "hard_silu")
    x = _block(x, 16, 16, 3, 1, "relu", squeeze=True)
    x = _block(x, 48, 24, 3, 2, "relu", squeeze=False)
    x = _block(x, 72, 24, 5, 1, "relu", squeeze=False)
    x = _block(x, 72, 40, 5, 2, "hard_silu", squeeze=True)
    x = _block(x, 120, 40, 5, 1, "hard_silu", squeeze=True)
    x = _conv(x, 96, 1, 1, "hard_silu")
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = keras.layers.Activation("hard_silu")(keras.layers.Conv2D(FEATURES, 1)(x))
    network = keras.Model(inputs, keras.layers.Flatten()(x))
    rng = np.random.default_rng(0)

    def calibration() -> Any:
        for _ in range(20):
            yield [rng.uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    float32 = converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return Models(converter.convert(), float32)


def _conv(x: Any, channels: int, kernel: int, stride: int, activation: str = "linear") -> Any:
    """Convolution, or depthwise convolution for no channels, without bias, and BatchNorm.

    At stride 2 the kernel gets a last row and column of zeros, as the project's converter does it.
    """
    from keras import layers

    side = kernel + (stride == 2)
    layer = (
        layers.Conv2D(channels, side, stride, "same", use_bias=False)
        if channels
        else layers.DepthwiseConv2D(side, stride, "same", use_bias=False)
    )
    x = layer(x)
    if stride == 2:
        (weights,) = layer.get_weights()
        weights[-1], weights[:, -1] = 0, 0
        layer.set_weights([weights])
    norm = layers.BatchNormalization(epsilon=1e-5)
    x = norm(x)
    rng = np.random.default_rng(norm.count_params())
    size = x.shape[-1]
    norm.set_weights(
        [
            rng.uniform(0.5, 1.5, size),
            rng.normal(0, 0.3, size),
            rng.normal(0, 0.3, size),
            rng.uniform(0.5, 1.5, size),
        ]
    )
    return layers.Activation(activation)(x)


def _block(
    x: Any, hidden: int, channels: int, kernel: int, stride: int, activation: str, squeeze: bool
) -> Any:
    """Inverted residual (Howard et al. 2019)."""
    from keras import layers

    source = x
    x = _conv(_conv(x, hidden, 1, 1, activation), 0, kernel, stride, activation)
    if squeeze:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(hidden // 4, 1, activation="relu")(gate)
        gate = layers.Activation("hard_sigmoid")(layers.Conv2D(hidden, 1)(gate))
        x = layers.Multiply()([x, gate])
    x = _conv(x, channels, 1, 1)
    return layers.Add()([source, x]) if source.shape == x.shape else x


def test_int8_features_are_the_oracles_bytes(models: Models, tmp_path: Path) -> None:
    graph = read(models.int8)
    (extract,) = compile_extractors([graph], tmp_path, ("-O2",))
    rng = np.random.default_rng(1)
    inputs = rng.integers(-128, 128, (INT8_INPUTS, SIDE, SIDE, 3)).astype(np.int8)
    expected = oracle(models.int8, inputs)
    np.testing.assert_array_equal(extract(inputs), expected)
    assert len(np.unique(expected)) > 100


def test_float_features_are_literts(models: Models, tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    (extract,) = compile_extractors([read(models.float32)], tmp_path, ("-O2",))
    rng = np.random.default_rng(2)
    inputs = rng.uniform(-1, 1, (FLOAT_INPUTS, SIDE, SIDE, 3)).astype(np.float32)
    interpreter = Interpreter(model_content=models.float32)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    for image, features in zip(inputs, extract(inputs), strict=True):
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        assert np.abs(interpreter.get_tensor(target["index"])[0] - features).max() < 1e-4


def test_simplification_leaves_few_operators_and_a_tight_arena(models: Models) -> None:
    raw, graph = parse(models.int8), read(models.int8)
    kinds = {op.kind for op in graph.ops}
    assert kinds == {"CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "MUL", "ADD", "RESHAPE"}
    assert len(raw.ops) - len(graph.ops) == 7 + 3, "hard-swish and hard-sigmoid are tables"
    kernels = {graph.tensors[op.inputs[1]].shape[1] for op in graph.ops if "CONV" in op.kind}
    assert kernels == {1, 3, 5}, "zero rows are dropped"
    layout = plan(graph)
    assert layout.arena_bytes == layout.lower_bound_bytes
    assert layout.arena_bytes <= plan(raw).arena_bytes
