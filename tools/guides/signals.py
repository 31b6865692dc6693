"""Networks of sensors, sound and tables, as tutorials and TinyML examples have them."""

from __future__ import annotations

from typing import Any

from tools.guides.chain import chain


def activity_conv1d(keras: Any, layers: Any) -> Any:
    """Activities from two seconds of nine inertial signals (UCI HAR), by 1-D convolutions."""
    return chain(
        keras,
        (128, 9),
        layers.Conv1D(64, 3, activation="relu"),
        layers.Conv1D(64, 3, activation="relu"),
        layers.Dropout(0.5),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(6, activation="softmax"),
    )


def magic_wand(keras: Any, layers: Any) -> Any:
    """TensorFlow Lite Micro's gestures from an accelerometer."""
    return chain(
        keras,
        (128, 3, 1),
        layers.Conv2D(8, (4, 3), padding="same", activation="relu"),
        layers.MaxPooling2D((3, 3)),
        layers.Dropout(0.1),
        layers.Conv2D(16, (4, 1), padding="same", activation="relu"),
        layers.MaxPooling2D((3, 1), padding="same"),
        layers.Flatten(),
        layers.Dense(16, activation="relu"),
        layers.Dense(4, activation="softmax"),
    )


def micro_speech(keras: Any, layers: Any) -> Any:
    """TensorFlow Lite Micro's keywords: ``tiny_conv`` on a flat spectrogram."""
    return chain(
        keras,
        (1960,),
        layers.Reshape((49, 40, 1)),
        layers.Conv2D(8, (10, 8), strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    )


def simple_audio(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Simple audio recognition", on half of its spectrogram."""
    return chain(
        keras,
        (62, 65, 1),
        layers.Resizing(32, 32),
        layers.Normalization(mean=0.3, variance=0.5),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(8),
    )


def ds_cnn(keras: Any, layers: Any) -> Any:
    """MLPerf Tiny's keywords: a depthwise-separable network."""
    source = keras.Input((49, 10, 1))
    x = layers.Conv2D(64, (10, 4), strides=2, padding="same", use_bias=False)(source)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for _ in range(4):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(64, 1, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    return keras.Model(source, layers.Dense(12, activation="softmax")(x))


def anomaly(keras: Any, layers: Any) -> Any:
    """MLPerf Tiny's anomaly detector: a dense autoencoder, narrowed to 64."""
    steps = [layers.Dense(width, activation="relu") for width in (64, 64, 8, 64, 64)]
    return chain(keras, (640,), *steps, layers.Dense(640))


def sine(keras: Any, layers: Any) -> Any:
    """TensorFlow Lite Micro's "hello world": a sine."""
    steps = [layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu")]
    return chain(keras, (1,), *steps, layers.Dense(1))


def tabular(keras: Any, layers: Any) -> Any:
    """Four columns of a table, standardised: the iris."""
    return chain(
        keras,
        (4,),
        layers.Normalization(mean=[0.4, 0.1, -0.2, 0.3], variance=[0.7, 0.2, 3.1, 0.6]),
        layers.Dense(16, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    )


def temporal(keras: Any, layers: Any) -> Any:
    """Bai et al., 2018: causal dilated convolutions of a sequence."""
    source = keras.Input((64, 4))
    x = layers.Conv1D(16, 3, padding="causal", activation="relu")(source)
    for dilation in (2, 4, 8):
        y = layers.Conv1D(16, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
        x = layers.Add()([x, y])
    return keras.Model(
        source, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling1D()(x))
    )


def timeseries(keras: Any, layers: Any) -> Any:
    """Keras's example "Timeseries classification from scratch"."""
    steps: list[Any] = []
    for _ in range(3):
        steps += [layers.Conv1D(32, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    steps += [layers.GlobalAveragePooling1D()]
    return chain(keras, (100, 1), *steps, layers.Dense(2, activation="softmax"))


def separable_1d(keras: Any, layers: Any) -> Any:
    """Separable 1-D convolutions and global maximum pooling."""
    return chain(
        keras,
        (64, 6),
        layers.SeparableConv1D(24, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.SeparableConv1D(32, 5, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(4, activation="softmax"),
    )
