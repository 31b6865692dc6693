"""The float flatbuffer that quantizers change in place."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_nas.quantization import tflite
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.prepared import Prepared


@pytest.fixture(scope="module")
def alike():
    """A network whose converter keeps one bias, of zeros, for two layers."""
    from tinyml_nas.conversion.backend import keras

    image = keras.Input((6, 6, 3))
    x = image
    for number in range(2):
        x = keras.layers.Conv2D(3, 3, padding="same", name=f"layer{number}")(x)
        x = keras.layers.Activation("relu")(x)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 6, 6, 3)).astype(np.float32)
    return tflite.prepare(keras.Model(image, x, name="extractor"), images), images


def test_layers_do_not_share_what_is_changed(alike):
    prepared, images = alike
    convolutions = [op for op in prepared.graph.ops if op.kind == "CONV_2D"]
    assert len(convolutions) == 2
    biases = [op.inputs[2] for op in convolutions]
    assert not any(prepared.constant(index).any() for index in biases)
    changed = prepared.with_constants({biases[0]: np.array([1.0, 2.0, 3.0])})
    np.testing.assert_array_equal(changed.constant(biases[0]), [1, 2, 3])
    assert not changed.constant(biases[1]).any()
    before, after = (
        ExactNetwork(each.graph).run(images[0])[convolutions[0].outputs[0]]
        for each in (prepared, changed)
    )
    assert (after >= before).all()
    assert after.sum() > before.sum()
    assert prepared.content != changed.content


def test_what_is_not_finite_is_refused_by_its_layer(alike):
    prepared, _ = alike
    last = prepared.graph.ops[-1]
    with pytest.raises(QuantizationError, match="layer layer1 cannot be quantized"):
        prepared.with_constants({last.inputs[2]: np.array([0.0, np.nan, 0.0])})


def test_a_network_with_own_constants_stays_as_it_is(prepared):
    for network in prepared.values():
        assert Prepared(network.content).content == network.content
