"""Keras networks as tutorials, ``keras.applications`` and TinyML examples have them.

Weights are random, batches are open and nothing is fitted to the compiler. Keras is imported where
a network is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

CLASSIFIER, LOGITS, REGRESSION = "classifier", "logits", "regression"


@dataclass(frozen=True)
class Network:
    """A network: how it is made, the shape of its input, and what it is for.

    ``kind`` says how it ends: with a softmax or sigmoid, with logits of classes, or with numbers
    that are no classes.
    """

    make: Callable[[Any, Any], Any]
    shape: tuple[int, ...]
    kind: str = CLASSIFIER


def _chain(keras: Any, shape: tuple[int, ...], *layers: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *layers])


def cnn_tutorial(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Convolutional Neural Network (CNN)": CIFAR-10."""
    return _chain(
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
    return _chain(
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
    return _chain(
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
    return _chain(keras, (64, 64, 3), *steps, layers.Dense(5))


def large_flatten(keras: Any, layers: Any) -> Any:
    """A beginner's network without enough pooling: 36,864 inputs of a dense layer."""
    return _chain(
        keras,
        (96, 96, 1),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(8, activation="relu"),
        layers.Dense(4, activation="softmax"),
    )


def _application(name: str, **options: Any) -> Callable[[Any, Any], Any]:
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


def activity_conv1d(keras: Any, layers: Any) -> Any:
    """Activities from two seconds of nine inertial signals (UCI HAR), by 1-D convolutions."""
    return _chain(
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
    return _chain(
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
    return _chain(
        keras,
        (1960,),
        layers.Reshape((49, 40, 1)),
        layers.Conv2D(8, (10, 8), strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(4, activation="softmax"),
    )


def simple_audio(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Simple audio recognition", on half of its spectrogram."""
    return _chain(
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
    return _chain(keras, (640,), *steps, layers.Dense(640))


def sine(keras: Any, layers: Any) -> Any:
    """TensorFlow Lite Micro's "hello world": a sine."""
    steps = [layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu")]
    return _chain(keras, (1,), *steps, layers.Dense(1))


def tabular(keras: Any, layers: Any) -> Any:
    """Four columns of a table, standardised: the iris."""
    return _chain(
        keras,
        (4,),
        layers.Normalization(mean=[0.4, 0.1, -0.2, 0.3], variance=[0.7, 0.2, 3.1, 0.6]),
        layers.Dense(16, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    )


def lenet(keras: Any, layers: Any) -> Any:
    """LeNet-5 as it was: tanh and average pooling."""
    steps: list[Any] = []
    for width in (6, 16):
        steps += [layers.Conv2D(width, 5, activation="tanh"), layers.AveragePooling2D(2)]
    steps += [layers.Flatten(), *(layers.Dense(n, activation="tanh") for n in (120, 84))]
    return _chain(keras, (32, 32, 1), *steps, layers.Dense(10, activation="softmax"))


def all_convolutional(keras: Any, layers: Any) -> Any:
    """Springenberg et al., 2015: a last 1x1 convolution, averaged."""
    return _chain(
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
    return _chain(
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
    return _chain(keras, (100, 1), *steps, layers.Dense(2, activation="softmax"))


def separable_1d(keras: Any, layers: Any) -> Any:
    """Separable 1-D convolutions and global maximum pooling."""
    return _chain(
        keras,
        (64, 6),
        layers.SeparableConv1D(24, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.SeparableConv1D(32, 5, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(4, activation="softmax"),
    )


def dilated(keras: Any, layers: Any) -> Any:
    """Dilated 2-D and depthwise convolutions, as in semantic segmentation."""
    return _chain(
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
    return _chain(keras, (16, 16, 3), *steps)


def gelu(keras: Any, layers: Any) -> Any:
    """The block of ConvNeXt, by its activation: TFLM has no GELU, LiteRT has."""
    return _chain(
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


def denoising(keras: Any, layers: Any) -> Any:
    """TensorFlow's tutorial "Intro to autoencoders": transposed convolutions make the image again."""
    return _chain(
        keras,
        (28, 28, 1),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    )


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


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        "cnn_tutorial": Network(cnn_tutorial, (32, 32, 3), LOGITS),
        "quantization_guide": Network(quantization_guide, (28, 28), LOGITS),
        "basic_classification": Network(basic_classification, (28, 28)),
        "image_classification": Network(image_classification, (64, 64, 3), LOGITS),
        "large_flatten": Network(large_flatten, (96, 96, 1)),
        "mobilenet": Network(_application("MobileNet", alpha=0.25), (96, 96, 3)),
        "mobilenet_v2": Network(_application("MobileNetV2", alpha=0.35), (96, 96, 3)),
        "mobilenet_v3_small": Network(_application("MobileNetV3Small"), (96, 96, 3)),
        "mobilenet_v3_minimal": Network(
            _application("MobileNetV3Small", minimalistic=True), (96, 96, 3)
        ),
        "efficientnet_b0": Network(_application("EfficientNetB0"), (96, 96, 3)),
        "transfer_learning": Network(transfer_learning, (96, 96, 3)),
        "activity_conv1d": Network(activity_conv1d, (128, 9)),
        "magic_wand": Network(magic_wand, (128, 3, 1)),
        "micro_speech": Network(micro_speech, (1960,)),
        "simple_audio": Network(simple_audio, (62, 65, 1), LOGITS),
        "ds_cnn": Network(ds_cnn, (49, 10, 1)),
        "anomaly": Network(anomaly, (640,), REGRESSION),
        "sine": Network(sine, (1,), REGRESSION),
        "tabular": Network(tabular, (4,)),
        "lenet": Network(lenet, (32, 32, 1)),
        "all_convolutional": Network(all_convolutional, (32, 32, 3)),
        "valid_head": Network(valid_head, (24, 24, 1)),
        "squeezenet": Network(squeezenet, (32, 32, 3)),
        "temporal": Network(temporal, (64, 4)),
        "timeseries": Network(timeseries, (100, 1)),
        "separable_1d": Network(separable_1d, (64, 6)),
        "dilated": Network(dilated, (24, 24, 3)),
        "activations": Network(activations, (16, 16, 3)),
        "gelu": Network(gelu, (16, 16, 3)),
        "shuffle": Network(shuffle, (16, 16, 3)),
        "mixer": Network(mixer, (16, 16, 3)),
        "maxout": Network(maxout, (20,)),
        "denoising": Network(denoising, (28, 28, 1), REGRESSION),
        "residual": Network(residual, (32, 32, 3)),
    }
)
