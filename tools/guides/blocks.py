"""Networks for the sake of what they are built of."""

from __future__ import annotations

from typing import Any

from tools.guides.chain import chain


def dilated(keras: Any, layers: Any) -> Any:
    """Dilated 2-D and depthwise convolutions, as in semantic segmentation."""
    return chain(
        keras,
        (24, 24, 3),
        layers.Conv2D(8, 3, padding="same", dilation_rate=2, activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, activation="relu"),
        layers.Conv2D(12, 3, dilation_rate=3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(3, activation="softmax"),
    )


def activations(keras: Any, layers: Any) -> Any:
    """Activations beyond ReLU, one after the other."""
    steps: list[Any] = []
    for activation in (
        layers.LeakyReLU(0.1),
        layers.PReLU(alpha_initializer="uniform", shared_axes=[1, 2]),
        layers.ELU(),
        layers.Activation("tanh"),
        layers.Activation("swish"),
    ):
        steps += [layers.Conv2D(8, 3, padding="same"), activation]
    steps += [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    return chain(keras, (16, 16, 3), *steps)


def gelu(keras: Any, layers: Any) -> Any:
    """The block of ConvNeXt, by its activation: TFLM has no GELU, LiteRT has."""
    return chain(
        keras,
        (16, 16, 3),
        layers.Conv2D(8, 4, strides=4),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.Conv2D(16, 1, activation="gelu"),
        layers.Conv2D(8, 1),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    )


def shuffle(keras: Any, layers: Any) -> Any:
    """ShuffleNet V2's unit: channels are split, and shuffled by a transposition."""
    source = keras.Input((16, 16, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(source)
    for _ in range(2):
        left, right = x[..., :8], x[..., 8:]
        right = layers.Conv2D(8, 1, activation="relu")(right)
        right = layers.DepthwiseConv2D(3, padding="same")(right)
        x = layers.Concatenate()([left, layers.Conv2D(8, 1, activation="relu")(right)])
        x = layers.Permute((1, 2, 4, 3))(layers.Reshape((8, 8, 2, 8))(x))
        x = layers.Reshape((8, 8, 16))(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(source, layers.Dense(4, activation="softmax")(x))


def mixer(keras: Any, layers: Any) -> Any:
    """MLP-Mixer's token mixing: dense layers over transposed patches."""
    source = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 24))(layers.Conv2D(24, 4, strides=4)(source))
    y = layers.Dense(32, activation="relu")(layers.Permute((2, 1))(x))
    x = layers.Add()([x, layers.Permute((2, 1))(layers.Dense(16)(y))])
    y = layers.Dense(24)(layers.Dense(48, activation="relu")(x))
    x = layers.GlobalAveragePooling1D()(layers.Add()([x, y]))
    return keras.Model(source, layers.Dense(4, activation="softmax")(x))


def maxout(keras: Any, layers: Any) -> Any:
    """Goodfellow et al., 2013: the larger and the smaller of two layers."""
    source = keras.Input((20,))
    first, second = layers.Dense(16)(source), layers.Dense(16)(source)
    x = layers.Concatenate()([layers.Maximum()([first, second]), layers.Minimum()([first, second])])
    return keras.Model(source, layers.Dense(3, activation="softmax")(x))
