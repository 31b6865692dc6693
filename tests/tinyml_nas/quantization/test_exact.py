"""The exact network computes what TensorFlow Lite computes, and the same bits in every order of sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.ir import Graph, ModelError, Op, Tensor
from tinyml_nas.quantization.exact import ExactNetwork, fixed_point

WINDOW = {
    "padding": "SAME",
    "stride_h": 1,
    "stride_w": 1,
    "dilation_h": 1,
    "dilation_w": 1,
    "fused_activation": "NONE",
}


def layer(kind: str, source: tuple[int, ...], output: tuple[int, ...], *data: np.ndarray) -> Graph:
    """A graph of one operator with the constants ``data``."""
    constants = [
        Tensor(f"c{number}", value.shape, "float32", constant=True, data=value)
        for number, value in enumerate(data)
    ]
    options = WINDOW | {"depth_multiplier": 1, "keep_dims": True, "filter_h": 2, "filter_w": 2}
    tensors = (Tensor("in", source, "float32"), *constants, Tensor("out", output, "float32"))
    op = Op(kind, tuple(range(len(tensors) - 1)), (len(tensors) - 1,), options)
    return Graph(tensors, (op,), (0,), (len(tensors) - 1,))


def output(graph: Graph, image: np.ndarray) -> np.ndarray:
    return ExactNetwork(graph).run(image)[graph.outputs[0]]


def wild(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values of many magnitudes, whose float sums depend on their order."""
    return (rng.normal(size=shape) * 10.0 ** rng.integers(-6, 3, shape)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(2, 700), st.sampled_from([1, 3]))
def test_a_convolution_has_the_same_bits_in_every_order_of_its_channels(seed, channels, kernel):
    rng = np.random.default_rng(seed)
    image = wild(rng, 5, 4, channels)
    weights = wild(rng, 3, kernel, kernel, channels)
    order = rng.permutation(channels)
    shapes = (1, 5, 4, channels), (1, 5, 4, 3)
    straight = output(layer("CONV_2D", *shapes, weights), image)
    permuted = output(
        layer("CONV_2D", *shapes, np.ascontiguousarray(weights[..., order])), image[..., order]
    )
    assert straight.tobytes() == permuted.tobytes()
    exact = image.astype(np.float64), weights.astype(np.float64)
    if kernel == 1:
        reference = exact[0] @ exact[1].reshape(3, channels).T
        scale = np.abs(exact[0]).max() * np.abs(exact[1]).max(axis=(1, 2, 3)) * channels
        assert (np.abs(straight[0] - reference) <= scale * 2.0**-18).all()


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([2, 3, 5]))
def test_a_depthwise_convolution_has_the_same_bits_upside_down(seed, channels, kernel):
    """Turned by half a circle, the taps are added from the other end."""
    rng = np.random.default_rng(seed)
    image, weights = wild(rng, 6, 6, channels), wild(rng, 1, kernel, kernel, channels)
    side = 6 - kernel + 1
    shapes = (1, 6, 6, channels), (1, side, side, channels)

    def run(picture: np.ndarray, factors: np.ndarray) -> np.ndarray:
        graph = layer("DEPTHWISE_CONV_2D", *shapes, factors)
        (op,) = graph.ops
        valid = replace(op, options={**op.options, "padding": "VALID"})
        return output(replace(graph, ops=(valid,)), picture)

    turned = run(
        np.ascontiguousarray(image[::-1, ::-1]), np.ascontiguousarray(weights[:, ::-1, ::-1])
    )
    assert run(image, weights).tobytes() == turned[:, ::-1, ::-1].tobytes()


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12))
def test_a_mean_has_the_same_bits_in_every_order(seed, height, width):
    rng = np.random.default_rng(seed)
    image = wild(rng, height, width, 3)
    graph = layer("MEAN", (1, height, width, 3), (1, 1, 1, 3), np.array([1, 2], np.float32))
    order = rng.permutation(height * width)
    shuffled = image.reshape(-1, 3)[order].reshape(height, width, 3)
    assert output(graph, image).tobytes() == output(graph, shuffled).tobytes()


def test_plain_float64_would_not_have_the_same_bits():
    """What the fixed point is for: without, these orders of one sum do differ."""
    rng = np.random.default_rng(0)
    values, factors = wild(rng, 500).astype(np.float64), wild(rng, 500).astype(np.float64)
    sums = {
        float((values[order] * factors[order]).sum()) for order in map(rng.permutation, [500] * 20)
    }
    assert len(sums) > 1
    values, factors = fixed_point(values, 500), fixed_point(factors, 500)
    sums = {
        float((values[order] * factors[order]).sum()) for order in map(rng.permutation, [500] * 20)
    }
    assert len(sums) == 1


@given(st.integers(0, 10_000), st.integers(1, 1 << 14))
def test_fixed_point_is_near_and_leaves_what_is_representable(seed, terms):
    values = wild(np.random.default_rng(seed), 50).astype(np.float64)
    rounded = fixed_point(values, terms)
    assert np.abs(rounded - values).max() <= np.abs(values).max() * 2.0**-18
    assert np.array_equal(fixed_point(rounded, terms), rounded)
    assert not fixed_point(np.zeros(4), terms).any()


@pytest.mark.parametrize("clip", [(-1.0, 0.5), (0.0, 6.0)])
def test_a_clip_is_applied_where_the_tensor_is_made(clip):
    rng = np.random.default_rng(1)
    image, weights = wild(rng, 4, 4, 3), wild(rng, 5, 1, 1, 3)
    graph = layer("CONV_2D", (1, 4, 4, 3), (1, 4, 4, 5), weights)
    (made,) = graph.outputs
    network = ExactNetwork(graph)
    expected = network.run(image)[made].clip(*clip)
    np.testing.assert_array_equal(network.run(image, {made: clip})[made], expected)


def test_an_operator_that_is_not_known_is_named_with_those_that_are():
    graph = layer("TRANSPOSE_CONV", (1, 2, 2, 3), (1, 2, 2, 3))
    with pytest.raises(
        ModelError, match=r"operator TRANSPOSE_CONV .* operators: ADD, AVERAGE_POOL_2D"
    ):
        ExactNetwork(graph)
