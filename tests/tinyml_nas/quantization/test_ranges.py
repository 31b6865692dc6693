"""Ranges are those of the float network; hard-swishes are clipped where int8 gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from codegen.frontend.read import read_as_written
from tinyml_nas.quantization import ranges, tflite
from tinyml_nas.quantization.calibration import with_extremes
from tinyml_nas.quantization.exact import ExactNetwork, hard_swish
from tinyml_nas.quantization.int8 import Int8


@pytest.fixture(scope="module")
def small(small_keras_model, normalised):
    """The float graph of the small network, as the quantizer sees it, and images."""
    extractor, _ = tflite.split(small_keras_model)
    images = with_extremes(normalised("train", 24, 28))
    prepared = tflite.prepare(extractor, images)
    return prepared, prepared.graph, images


@pytest.fixture(scope="module")
def one_loud_channel():
    """A convolution whose one channel is a hundred times louder than those that matter."""
    from tinyml_nas.conversion.backend import keras

    rng = np.random.default_rng(0)
    image = keras.Input((8, 8, 3))
    loud = keras.layers.Conv2D(4, 1, name="loud")
    reader = keras.layers.Conv2D(4, 1, name="reader")
    out = keras.layers.Activation("hard_silu")(loud(image))
    out = keras.layers.GlobalAveragePooling2D(keepdims=True)(reader(out))
    model = keras.Model(image, out)
    kernel = rng.normal(size=(1, 1, 3, 4)).astype(np.float32)
    kernel[..., 0] *= 100
    loud.set_weights([kernel, np.zeros(4, np.float32)])
    kernel = rng.normal(size=(1, 1, 4, 4)).astype(np.float32)
    kernel[0, 0, 0] = 0  # nobody listens to the loud one
    reader.set_weights([kernel, np.zeros(4, np.float32)])
    images = rng.uniform(-1, 1, (32, 8, 8, 3)).astype(np.float32)
    return tflite.prepare(model, images).graph, images


def test_every_tensor_is_what_the_reference_kernels_compute(small):
    prepared, graph, images = small
    interpreter = Interpreter(
        model_content=prepared.content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    network = ExactNetwork(graph)
    for image in images[:6]:
        interpreter.set_tensor(graph.inputs[0], image[None])
        interpreter.invoke()
        values = network.run(image)
        for op in graph.ops:
            (made,) = op.outputs
            expected = interpreter.get_tensor(made)
            tolerance = 1e-5 * np.abs(expected).max()
            np.testing.assert_allclose(values[made], expected, rtol=0, atol=tolerance)


def test_a_range_is_the_least_and_the_greatest_value(small):
    _, graph, images = small
    found = ranges.calibrated(graph, images, clip_hard_swish=False)
    network = ExactNetwork(graph)
    seen = [network.run(image) for image in images]
    assert set(found) == {*graph.inputs, *(op.outputs[0] for op in graph.ops)}
    for index, (low, high) in found.items():
        values = np.stack([each[index] for each in seen])
        assert (low, high) == (values.min(), values.max())


def test_the_order_of_the_images_does_not_matter(small):
    _, graph, images = small
    forwards = ranges.calibrated(graph, images, clip_hard_swish=False)
    assert ranges.calibrated(graph, images[::-1], clip_hard_swish=False) == forwards


def test_every_tensor_is_quantized_by_its_own_range(small):
    """Also where ADD runs in place: the converter's own calibration gives its input the sum's range."""
    prepared, graph, images = small
    content = prepared.quantized(ranges.calibrated(graph, images, clip_hard_swish=False))
    main = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content)).subgraphs[0]
    quantized = read_as_written(content)
    found = ranges.calibrated(graph, images, clip_hard_swish=False)
    assert [op.kind for op in quantized.ops] == [op.kind for op in graph.ops]
    assert sum(op.kind == "ADD" for op in graph.ops) >= 3
    same_scale = {"MEAN", "RESHAPE"}
    for op, float_op in zip(quantized.ops, graph.ops, strict=True):
        if op.kind in same_scale:
            continue
        low, high = found[float_op.outputs[0]]
        (scale,) = main.tensors[op.outputs[0]].quantization.scale
        assert scale == pytest.approx((max(high, 0) - min(low, 0)) / 255, rel=1e-5)


def test_the_loud_channel_is_clipped(one_loud_channel):
    graph, images = one_loud_channel
    ((loud, _),) = ranges.hard_swishes(graph).items()
    network = ExactNetwork(graph)
    loudest = max(network.run(image)[loud].max() for image in images)
    assert ranges.best_tops(network, images) == {
        loud: pytest.approx(loudest * min(ranges.SHARES_OF_MAXIMUM))
    }


def test_ranges_behind_a_clip_are_those_of_the_clipped_network(one_loud_channel):
    graph, images = one_loud_channel
    ((loud, number),) = ranges.hard_swishes(graph).items()
    top = ranges.best_tops(ExactNetwork(graph), images)[loud]
    found = ranges.calibrated(graph, images, clip_hard_swish=True)
    assert found[loud] == (-3.0, top)
    (swished,) = graph.ops[number].outputs
    assert found[swished][1] == pytest.approx(hard_swish(np.array(top)))
    plain = ranges.calibrated(graph, images, clip_hard_swish=False)
    assert plain[loud][1] > 2 * top
    assert found[graph.inputs[0]] == plain[graph.inputs[0]]


def test_what_another_operator_reads_too_is_not_clipped(one_loud_channel):
    graph, _ = one_loud_channel
    ((loud, number),) = ranges.hard_swishes(graph).items()
    twice = replace(graph, ops=(*graph.ops, replace(graph.ops[number], outputs=graph.outputs)))
    assert loud not in ranges.hard_swishes(twice)


@pytest.mark.parametrize("clip", [True, False])
def test_rounded_values_are_256_codes(clip):
    values = np.linspace(-9, 9, 10_001)
    low, high = (-3.0, 5.0) if clip else (-9.0, 9.0)
    rounded = ranges.rounded(values, low, high)
    assert len(np.unique(rounded)) == 256
    inside = np.abs(rounded - np.clip(values, low, high)).max()
    assert inside <= (high - low) / 255 / 2 + 1e-6


def test_clipping_is_a_choice():
    assert Int8().clip_hard_swish
    assert not Int8(clip_hard_swish=False).clip_hard_swish
