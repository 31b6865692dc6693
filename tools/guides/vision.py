"""Networks of images, as tutorials and ``keras.applications`` have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.guides.chain import chain


def cnn_tutorial(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Convolutional Neural Network (CNN)": CIFAR-10."""
    return chain(
        keras,
        (32, 32, 3),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    )


def quantization_guide(keras: Any, layers: Any) -> Any:
    """LiteRT's guide "Post-training integer quantization": MNIST."""
    return chain(
        keras,
        (28, 28),
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(12, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10),
    )


def basic_classification(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Basic classification": Fashion MNIST."""
    return chain(
        keras,
        (28, 28),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10, activation="softmax"),
    )


def image_classification(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Image classification": flowers, at 64 pixels."""
    steps = [layers.Rescaling(1 / 255)]
    for width in (16, 32, 64):
        steps += [layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    steps += [layers.Dropout(0.2), layers.Flatten(), layers.Dense(128, activation="relu")]
    return chain(keras, (64, 64, 3), *steps, layers.Dense(5))


def large_flatten(keras: Any, layers: Any) -> Any:
    """A beginner's network without enough pooling: 36,864 inputs of a dense layer."""
    return chain(
        keras,
        (96, 96, 1),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(8, activation="relu"),
        layers.Dense(4, activation="softmax"),
    )


def application(name: str, **options: Any) -> Callable[[Any, Any], Any]:
    """A network of ``keras.applications`` for ten classes at 96 pixels."""

    def make(keras: Any, layers: Any) -> Any:
        return getattr(keras.applications, name)(
            input_shape=(96, 96, 3), weights=None, classes=10, **options
        )

    return make


def transfer_learning(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Transfer learning and fine-tuning": cats and dogs by one sigmoid."""
    base = keras.applications.MobileNetV2(
        input_shape=(96, 96, 3), include_top=False, weights=None, alpha=0.35
    )
    source = keras.Input((96, 96, 3))
    x = base(layers.Rescaling(1 / 127.5, offset=-1)(source), training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(source, layers.Dense(1, activation="sigmoid")(x))


def lenet(keras: Any, layers: Any) -> Any:
    """LeNet-5 as it was: tanh and average pooling."""
    steps: list[Any] = []
    for width in (6, 16):
        steps += [layers.Conv2D(width, 5, activation="tanh"), layers.AveragePooling2D(2)]
    steps += [layers.Flatten(), *(layers.Dense(n, activation="tanh") for n in (120, 84))]
    return chain(keras, (32, 32, 1), *steps, layers.Dense(10, activation="softmax"))


def all_convolutional(keras: Any, layers: Any) -> Any:
    """Springenberg et al., 2015: a last 1x1 convolution, averaged."""
    return chain(
        keras,
        (32, 32, 3),
        layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(48, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(10, 1),
        layers.GlobalAveragePooling2D(),
        layers.Softmax(),
    )


def valid_head(keras: Any, layers: Any) -> Any:
    """A last convolution as large as its map, in place of a dense layer."""
    return chain(
        keras,
        (24, 24, 1),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.MaxPooling2D(3),
        layers.Conv2D(5, 4),
        layers.Flatten(),
        layers.Softmax(),
    )


def squeezenet(keras: Any, layers: Any) -> Any:
    """Two fire modules: branches that are concatenated."""
    source = keras.Input((32, 32, 3))
    x = layers.MaxPooling2D(3, 2)(layers.Conv2D(16, 3, strides=2, activation="relu")(source))
    for width in (8, 12):
        x = layers.Conv2D(width, 1, activation="relu")(x)
        left = layers.Conv2D(2 * width, 1, activation="relu")(x)
        right = layers.Conv2D(2 * width, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate()([left, right])
    x = layers.GlobalAveragePooling2D()(layers.Dropout(0.5)(x))
    return keras.Model(source, layers.Dense(10, activation="softmax")(x))


def detector(keras: Any, layers: Any) -> Any:
    """A single-shot detector: three boxes of 16 numbers in each cell of two maps, one map behind the other."""
    source = keras.Input((48, 48, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(source)
    rows = []
    for width in (16, 24):
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
        rows.append(layers.Reshape((-1, 16))(layers.Conv2D(48, 1)(x)))
    return keras.Model(source, layers.Concatenate(axis=1)(rows))


def residual(keras: Any, layers: Any) -> Any:
    """MLPerf Tiny's ResNet-8."""
    source = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same")(source)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        y = layers.Conv2D(width, 3, stride, padding="same")(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(y))
        x = layers.Conv2D(width, 1, stride, padding="same")(x) if stride > 1 else x
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(source, layers.Dense(10, activation="softmax")(x))


def denoising(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Intro to autoencoders": transposed convolutions make the image again."""
    return chain(
        keras,
        (28, 28, 1),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    )
