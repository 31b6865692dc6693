"""The networks of the code generator's benchmark: layers as published, random weights, int8.

``vww``, ``resnet8``, ``kws`` (a DS-CNN, Zhang et al. 2017) and ``ad`` (an autoencoder, whole) are MLPerf
Tiny's (Banbury et al. 2021, github.com/mlcommons/tiny), classifiers cut before their last Dense; ``mbv3`` is a network in MobileNetV3's style (Howard et al. 2019: squeeze-excite,
hard-swish) of 2.30 M multiply-adds, whose two largest tensors that live together take 32,768 bytes.
Instruction counts hardly depend on the weights, so nothing is trained; batch normalisation takes its
statistics from real images, or from as many numbers of them, so that activations use the range of
their codes. ``shipped`` comes from
the supernet that the repository holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from codegen import durable
from codegen.pixels import normalise, resize
from tinyml_nas.data.sample import Cifar10Sample

if TYPE_CHECKING:
    import keras

CACHE = Path("outputs", "benchmarks")
SPACE = Path(__file__).parents[1] / "conf" / "supernet" / "mbv3_mcu.yaml"
CALIBRATION_IMAGES = 64
SEED = 3


def tflite(name: str) -> Path:
    """The int8 flatbuffer of a network, converted once and kept until this file changes."""
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    path = CACHE / f"{name}-{version}.tflite"
    if not path.exists():
        durable.write(path, NETWORKS[name]())
    return path


def _random(build: Callable[[], keras.Model]) -> bytes:
    """A network with random weights."""
    from tinyml_nas.conversion.backend import keras
    from tinyml_nas.quantization.ranges import calibrated
    from tinyml_nas.quantization.tflite import prepare

    keras.utils.set_random_seed(SEED)
    model = build()
    pixels = Cifar10Sample().split("train").pixels[:CALIBRATION_IMAGES]
    images = _inputs(pixels, model.input_shape[1:])
    model(images, training=True)  # without momentum: the statistics are those of these images
    prepared = prepare(model, images)
    return prepared.quantized(calibrated(prepared.graph, images, clip_hard_swish=False))


def _inputs(pixels: Any, shape: tuple[int, ...]) -> Any:
    """Images of ``shape``, or their first numbers where that is not a square in colour."""
    from tinyml_nas.quantization.calibration import with_extremes

    if shape == (shape[0], shape[0], 3):
        return with_extremes(normalise(resize(pixels, shape[0])))
    return (
        with_extremes(normalise(pixels))
        .reshape(len(pixels), -1)[:, : prod(shape)]
        .reshape(-1, *shape)
    )


class _Layers:
    """Keras layers in the order and with the options of the published networks."""

    def __init__(self) -> None:
        from tinyml_nas.conversion.backend import keras

        self.keras = keras

    def image(self, side: int) -> Any:
        return self.keras.Input((side, side, 3))

    def conv(
        self,
        x: Any,
        channels: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        then: str = "",
    ) -> Any:
        """Convolution, batch normalisation, and an activation if one is named."""
        layers = self.keras.layers
        x = layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(x)
        return self._normalised(x, then)

    def dense(self, x: Any, outputs: int) -> Any:
        return self._normalised(self.keras.layers.Dense(outputs)(x), "relu")

    def depthwise(self, x: Any, kernel: int, stride: int, then: str) -> Any:
        layers = self.keras.layers
        x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False)(x)
        return self._normalised(x, then)

    def activation(self, x: Any, name: str) -> Any:
        return self.keras.layers.Activation(name)(x)

    def squeeze_excite(self, x: Any, hidden: int) -> Any:
        layers = self.keras.layers
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(hidden, 1, activation="relu")(gate)
        gate = layers.Conv2D(x.shape[-1], 1)(gate)
        return layers.Multiply()([x, self.activation(gate, "hard_sigmoid")])

    def _normalised(self, x: Any, then: str) -> Any:
        initializers = self.keras.initializers
        x = self.keras.layers.BatchNormalization(
            momentum=0.0,
            gamma_initializer=initializers.RandomUniform(0.5, 1.5),
            beta_initializer=initializers.RandomNormal(stddev=0.3),
        )(x)
        return self.activation(x, then) if then else x


def _vww() -> keras.Model:
    """MobileNetV1 (Howard et al. 2017) at width 0.25 on 96x96, 256 features."""
    net = _Layers()
    image = net.image(96)
    x = net.conv(image, 8, 3, 2, "relu")
    blocks = [(1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128), *[(1, 128)] * 5, (2, 256)]
    for stride, channels in [*blocks, (1, 256)]:
        x = net.conv(net.depthwise(x, 3, stride, "relu"), channels, 1, then="relu")
    x = net.keras.layers.AveragePooling2D(3)(x)
    return net.keras.Model(image, net.keras.layers.Flatten()(x))


def _resnet8() -> keras.Model:
    """ResNet (He et al. 2016) of three stacks of one block on 32x32, 64 features."""
    net = _Layers()
    image = net.image(32)
    x = net.conv(image, 16, 3, then="relu")
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        y = net.conv(net.conv(x, channels, 3, stride, "relu"), channels, 3)
        if stride > 1:
            x = net.keras.layers.Conv2D(channels, 1, stride, "same")(x)
        x = net.activation(net.keras.layers.Add()([x, y]), "relu")
    x = net.keras.layers.AveragePooling2D(8)(x)
    return net.keras.Model(image, net.keras.layers.Flatten()(x))


def _kws() -> keras.Model:
    """DS-CNN on 49 windows of 10 cepstral coefficients, 64 features."""
    net = _Layers()
    image = net.keras.Input((49, 10, 1))
    x = net.conv(image, 64, (10, 4), 2, "relu")
    for _ in range(4):
        x = net.conv(net.depthwise(x, 3, 1, "relu"), 64, 1, then="relu")
    x = net.keras.layers.AveragePooling2D((25, 5))(x)
    return net.keras.Model(image, net.keras.layers.Flatten()(x))


def _ad() -> keras.Model:
    """The autoencoder of 640 numbers, through 8."""
    net = _Layers()
    image = net.keras.Input((1, 1, 640))
    x = image
    for outputs in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = net.dense(x, outputs)
    return net.keras.Model(image, net.keras.layers.Dense(640)(x))


def _mbv3() -> keras.Model:
    """MobileNetV3's blocks on 64x64, 186 features."""
    net = _Layers()

    def block(  # expand, depthwise, squeeze-excite, project, add
        x: Any, hidden: int, channels: int, kernel: int, stride: int, squeezed: int, then: str
    ) -> Any:
        y = net.conv(x, hidden, 1, then=then) if hidden != x.shape[-1] else x
        y = net.depthwise(y, kernel, stride, then)
        y = net.squeeze_excite(y, squeezed) if squeezed else y
        y = net.conv(y, channels, 1)
        return net.keras.layers.Add()([x, y]) if y.shape == x.shape else y

    image = net.image(64)
    x = net.conv(image, 16, 3, 2, "hard_silu")
    x = block(x, 16, 16, 3, 2, 8, "relu")
    x = block(x, 64, 24, 3, 2, 0, "relu")
    x = block(x, 96, 24, 3, 1, 0, "relu")
    x = block(x, 96, 40, 5, 2, 24, "hard_silu")
    x = block(x, 160, 40, 5, 1, 40, "hard_silu")
    x = block(x, 160, 40, 5, 1, 40, "hard_silu")
    x = net.conv(x, 240, 1, then="hard_silu")
    x = net.keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = net.activation(net.keras.layers.Conv2D(186, 1)(x), "hard_silu")
    return net.keras.Model(image, net.keras.layers.Flatten()(x))


def _mbv2() -> keras.Model:
    """MobileNetV2 (Sandler et al. 2018) at width 0.35 on 144x144, as keras.applications has it, 1280 features."""
    net = _Layers()
    image = net.image(144)
    x = net.conv(image, 16, 3, 2, "relu6")
    stages = [(1, 8, 1, 1), (6, 8, 2, 2), (6, 16, 3, 2), (6, 24, 4, 2), (6, 32, 3, 1)]
    for expansion, channels, blocks, stride in [*stages, (6, 56, 3, 2), (6, 112, 1, 1)]:
        for number in range(blocks):
            y = net.conv(x, expansion * x.shape[-1], 1, then="relu6") if expansion > 1 else x
            y = net.depthwise(y, 3, 1 if number else stride, "relu6")
            y = net.conv(y, channels, 1)
            x = net.keras.layers.Add()([x, y]) if number else y
    x = net.conv(x, 1280, 1, then="relu6")
    return net.keras.Model(image, net.keras.layers.GlobalAveragePooling2D()(x))


def _shipped() -> bytes:
    """A network of the shipped supernet, weights as inherited: 5x5 kernels, two blocks a stage."""
    import tempfile

    import yaml

    from tinyml_nas.conversion.keras import convert
    from tinyml_nas.quantization.int8 import Int8
    from tinyml_nas.quantization.tflite import EXTRACTOR_FILE
    from tinyml_nas.supernet.files import load_supernet
    from tinyml_nas.supernet.space import MobileNetV3Space
    from tinyml_nas.training.loop import recalibrate

    fields = yaml.safe_load(SPACE.read_text(encoding="utf-8"))
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    del fields["_target_"], fields["defaults"]
    space = MobileNetV3Space(**fields)
    genotype = space.smallest()
    genotype[0] = space.resolutions.index(32)
    genotype[1:].reshape(space.stages, -1)[:, :3] = 1
    genotype = space.canonical(np.minimum(genotype, space.upper))
    sample = Cifar10Sample()
    network = load_supernet(space, sample.classes).extract(genotype)
    recalibrate(network, sample.split("train")[:500])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = convert(network, normalise(sample.split("validation").pixels), folder)
        train = normalise(sample.split("train").pixels[:200])
        Int8(calibration_images=200).quantize(model.artifact.path, train, folder)
        return (folder / EXTRACTOR_FILE).read_bytes()


NETWORKS: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "mbv3": partial(_random, _mbv3),
        "vww": partial(_random, _vww),
        "mbv2": partial(_random, _mbv2),
        "resnet8": partial(_random, _resnet8),
        "kws": partial(_random, _kws),
        "ad": partial(_random, _ad),
        "shipped": _shipped,
    }
)
