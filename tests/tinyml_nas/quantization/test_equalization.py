"""Equalization changes how loud channels are, and nothing that the network computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen.ir import Graph, Op, Tensor
from tinyml_nas.quantization.calibration import with_extremes
from tinyml_nas.quantization.equalization import LARGEST_FACTOR, _factors, equalized, pairs
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.layers import layer_names

FAMILIES = ("mbv3", "lite0")


@pytest.fixture(scope="module")
def images(normalised):
    return with_extremes(normalised("train", 12, 28))


@pytest.fixture(scope="module")
def equal(prepared, images):
    return {name: equalized(prepared[name], images) for name in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_computes_the_same(prepared, equal, images, family):
    before, after = (ExactNetwork(each[family].graph) for each in (prepared, equal))
    (output,) = before.graph.outputs
    for image in images:
        exact = before.run(image)[output]
        error = np.abs(after.run(image)[output] - exact).max()
        assert error <= 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("family", FAMILIES)
def test_channels_before_a_depthwise_convolution_are_equally_loud(prepared, equal, images, family):
    graph = prepared[family].graph
    found, _ = pairs(graph)
    before, after = (ExactNetwork(each[family].graph) for each in (prepared, equal))
    checked = 0
    for pair in found:
        if [graph.ops[n].kind for n in pair.readers] != ["DEPTHWISE_CONV_2D"]:
            continue
        (made,) = graph.ops[pair.source].outputs
        was, now = (
            np.max([np.abs(network.run(image)[made]).max(axis=(0, 1, 2)) for image in images], 0)
            for network in (before, after)
        )
        reaches_6 = (was >= 6) & (graph.ops[pair.source].options["fused_activation"] == "RELU6")
        heard = (was > was.max() / LARGEST_FACTOR) & ~reaches_6
        assert np.ptp(was[heard]) > 0.1 * was.max()
        np.testing.assert_allclose(now[heard], now.max(), rtol=1e-5)
        checked += 1
    assert checked >= 2


def test_what_reaches_6_stays_and_nothing_else_reaches_beyond():
    reached = np.array([6.0, 1.5, 0.0, 6.0, 3.0])
    factors = _factors(reached, [], clipped=True)
    np.testing.assert_allclose(factors, [1, 0.25, 1, 1, 0.5])
    np.testing.assert_allclose(_factors(np.full(3, 6.0), [], clipped=True), 1)
    weights = np.random.default_rng(0).normal(size=(4, 1, 1, 5))
    loudness = reached / _factors(reached, [weights], clipped=True)
    assert loudness.max() <= 6 + 1e-12
    np.testing.assert_allclose(loudness[[1, 4]].max(), 6)


def test_a_silent_channel_and_a_silent_tensor_stay():
    np.testing.assert_array_equal(_factors(np.zeros(3), [], clipped=False), 1)
    np.testing.assert_allclose(_factors(np.array([2.0, 0.0, 1.0]), [], clipped=False), [1, 1, 0.5])


def test_a_factor_has_a_limit():
    factors = _factors(np.array([1.0, 1e-9]), [], clipped=False)
    assert factors[0] / factors[1] == pytest.approx(LARGEST_FACTOR)


def test_the_balance_is_the_papers():
    """Range of the channel over that of its weights, by the root: both are as precise as each other."""
    reached = np.array([8.0, 2.0])
    weights = np.array([[1.0, 0.25], [0.5, 0.25]]).reshape(2, 1, 1, 2)
    factors = _factors(reached, [weights], clipped=False)
    # Shares of their outputs' ranges: 1, and 0.5 (of the second output).
    assert factors[0] / factors[1] == pytest.approx(np.sqrt((8 / 1) / (2 / 0.5)))


def test_pairs_are_those_that_the_network_has(prepared):
    """By hand, from the two specifications: squeeze-excite passes a factor on, hard-swish and ADD do not."""
    for family, expected in {
        "mbv3": {
            ("blocks_0_depthwise_conv", ("blocks_0_project_conv",)),
            ("blocks_1_expand_conv", ("blocks_1_depthwise_conv",)),
            ("blocks_1_depthwise_conv", ("blocks_1_project_conv",)),
            ("blocks_2_expand_conv", ("blocks_2_depthwise_conv",)),
            ("blocks_2_depthwise_conv", ("blocks_2_se_reduce", "blocks_2_project_conv")),
            ("blocks_2_se_reduce", ("blocks_2_se_expand",)),
            ("blocks_3_se_reduce", ("blocks_3_se_expand",)),
        },
        "lite0": {
            ("blocks_0_depthwise_conv", ("blocks_0_project_conv",)),
            ("blocks_1_expand_conv", ("blocks_1_depthwise_conv",)),
            ("blocks_1_depthwise_conv", ("blocks_1_project_conv",)),
            ("blocks_2_expand_conv", ("blocks_2_depthwise_conv",)),
            ("blocks_2_depthwise_conv", ("blocks_2_project_conv",)),
            ("blocks_3_expand_conv", ("blocks_3_depthwise_conv",)),
            ("blocks_3_depthwise_conv", ("blocks_3_project_conv",)),
            ("blocks_3_project_conv", ("final_conv",)),
        },
    }.items():
        graph = prepared[family].graph
        names = layer_names(graph)
        found, reasons = pairs(graph)
        told = {(names[p.source], tuple(sorted(names[n] for n in p.readers))) for p in found}
        wanted = {(source, tuple(sorted(readers))) for source, readers in expected}
        assert told == wanted
        weighted = {
            n for n, op in zip(names, graph.ops, strict=True) if op.kind.endswith("CONV_2D")
        }
        assert set(reasons) == weighted - {source for source, _ in told}
        assert all(reasons.values())


def test_a_gate_is_left_alone(prepared):
    graph = prepared["mbv3"].graph
    _, reasons = pairs(graph)
    assert reasons["blocks_2_se_expand"] == "MUL reads it"
    assert reasons["stem_conv"] == "HARD_SWISH reads it"
    assert reasons["mix"] == "HARD_SWISH reads it"
    assert reasons["blocks_0_project_conv"] == "ADD reads it"


def test_another_activation_is_a_reason():
    activations = [Tensor(name, (1, 2, 2, 3), "float32") for name in ("in", "made", "out")]
    tensors = (*activations, Tensor("w", (3, 1, 1, 3), "float32", constant=True))
    options = {"fused_activation": "RELU_N1_TO_1"}
    ops = (Op("CONV_2D", (0, 3), (1,), options), Op("CONV_2D", (1, 3), (2,), options))
    found, reasons = pairs(Graph(tensors, ops, (0,), (2,)))
    assert not found
    assert set(reasons.values()) == {"its activation is RELU_N1_TO_1"}


def test_a_product_with_itself_is_a_reason():
    """x * mean(x) has a factor squared; behind a convolution, as in squeeze-excite, it has not."""
    shapes = {"in": (1, 2, 2, 3), "made": (1, 2, 2, 3), "mean": (1, 1, 1, 3), "mul": (1, 2, 2, 3)}
    tensors = [Tensor(name, shape, "float32") for name, shape in shapes.items()]
    tensors += [
        Tensor("out", (1, 2, 2, 3), "float32"),
        Tensor("w", (3, 1, 1, 3), "float32", constant=True),
        Tensor("axes", (2,), "int32", constant=True),
    ]
    options = {"fused_activation": "RELU"}
    ops = (
        Op("CONV_2D", (0, 5), (1,), options),
        Op("MEAN", (1, 6), (2,)),
        Op("MUL", (1, 2), (3,), options),
        Op("CONV_2D", (3, 5), (4,), options),
    )
    found, reasons = pairs(Graph(tuple(tensors), ops, (0,), (4,)))
    assert not found
    assert reasons == {
        "conv_2d": "it is multiplied with itself",
        "conv_2d_again_1": "its output is the network's",
    }


def test_a_network_in_which_nothing_can_be_equalized_is_refused_with_its_reasons(
    small_spec, make_network, normalised, tmp_path
):
    from tinyml_nas.conversion.keras import convert

    block = replace(small_spec.blocks[0], activation="hard_swish")
    network = make_network(replace(small_spec, blocks=(block,)))
    model = convert(network, normalised("test", 2, 28), tmp_path).artifact.path
    with pytest.raises(
        QuantizationError, match=r"stem_conv: HARD_SWISH reads it.*int8_mse"
    ) as told:
        Int8CLE(2).quantize(model, normalised("train", 2, 28), tmp_path)
    assert "blocks_0_depthwise_conv: HARD_SWISH reads it" in str(told.value)
    assert "blocks_0_project_conv: ADD reads it" in str(told.value)
