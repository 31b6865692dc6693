"""Clipping hard-swishes: the float network within the clip is untouched, and int8 gains."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_nas.quantization import ranges
from tinyml_nas.quantization.int8 import Int8


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
    return model, rng.uniform(-1, 1, (32, 8, 8, 3)).astype(np.float32)


def test_the_loud_channel_is_clipped(one_loud_channel):
    model, images = one_loud_channel
    loudest = float(model.get_layer("loud")(images).numpy().max())
    tops = ranges.best_tops(model, images)
    assert list(tops) == ["loud"]
    assert tops["loud"] == pytest.approx(loudest * min(ranges.SHARES_OF_MAXIMUM), rel=1e-4)


def test_the_clipped_network_is_the_network_with_clipped_inputs(one_loud_channel):
    model, images = one_loud_channel
    clipped = ranges.clipped(model, images)
    top = ranges.best_tops(model, images)["loud"]
    entered = np.clip(model.get_layer("loud")(images).numpy(), -3, top)
    activated = entered * np.clip(entered + 3, 0, 6) / 6
    expected = model.get_layer("reader")(activated).numpy().mean((1, 2), keepdims=True)
    np.testing.assert_allclose(clipped.predict(images, verbose=0), expected, atol=2e-4, rtol=1e-3)


def test_the_probe_leaves_the_network_as_it_is(one_loud_channel):
    model, images = one_loud_channel
    before = model.predict(images, verbose=0)
    ranges.clipped(model, images)
    np.testing.assert_array_equal(model.predict(images, verbose=0), before)


@pytest.mark.parametrize("clip", [True, False])
def test_rounded_values_are_256_codes(clip):
    values = np.linspace(-9, 9, 10_001).astype(np.float32)
    low, high = (-3.0, 5.0) if clip else (-9.0, 9.0)
    rounded = np.asarray(ranges.rounded(values, low, high))
    assert len(np.unique(rounded)) == 256
    inside = np.abs(rounded - np.clip(values, low, high)).max()
    assert inside <= (high - low) / 255 / 2 + 1e-6


def test_clipping_is_a_choice():
    assert Int8().clip_hard_swish
    assert not Int8(clip_hard_swish=False).clip_hard_swish
