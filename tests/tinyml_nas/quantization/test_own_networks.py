"""Quantizers on networks that are none of the search's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from codegen.frontend.read import read_as_written
from tests.support.own_networks import drawn
from tinyml_nas.conversion import oracle
from tinyml_nas.network import seen as beside
from tinyml_nas.quantization import rounded_training, tflite
from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.fake_quantization import FakeQuantized
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.int8_mse import Int8MSE
from tinyml_nas.quantization.int8_qat import Int8QAT
from tinyml_nas.quantization.layers import rounded
from tinyml_nas.quantization.ranges import calibrated
from tinyml_nas.types import Seen

SEEN = Seen(3, (0.0,), (255.0,))
FAMILIES = {"MobileNetV2": 2, "ResNet18": 2, "PlainCNN": 3, "TwoLayerCNN": 4}


def rare():
    """What else a user's network may be made of, in Keras."""
    from tinyml_nas.conversion.backend import keras

    layers, random = keras.layers, keras.utils.set_random_seed
    random(1)
    image = layers.Input((32, 32, 3))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(8, 3, 2, "same")(image))
    x = layers.ZeroPadding2D(((1, 1), (1, 0)))(
        layers.Conv2D(8, 3, padding="same", dilation_rate=2)(x)
    )
    x = layers.DepthwiseConv2D((3, 1), 1, depth_multiplier=2)(layers.ELU()(x))
    x = layers.PReLU(keras.initializers.Constant(0.3), shared_axes=(1, 2))(x)
    parts = x[:, :, 1::2, 3:7], x[:, :, 1::2, :4]
    x = layers.Concatenate()(
        [layers.Activation("silu")(parts[0]), layers.Activation("tanh")(parts[1])]
    )
    x = layers.Maximum()(
        [x, layers.Subtract()([layers.ReLU(6)(x), x * np.linspace(0.5, 1, 8, dtype=np.float32)])]
    )
    x = layers.AveragePooling2D(3, 1, "same")(
        layers.Minimum()([x, layers.MaxPooling2D(3, 1, "same")(x) * 0.5])
    )
    highest = layers.Dense(12, "relu")(layers.GlobalMaxPooling2D()(x))
    gate = layers.Activation("sigmoid")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(10)(layers.Concatenate()([highest, gate])))


def made(family: str):
    from tinyml_nas.conversion.keras import to_keras

    return rare() if family == "Rare" else to_keras(drawn(family, 5, FAMILIES[family]), (32, 32, 3))


@pytest.fixture(scope="module")
def extractors(tmp_path_factory):
    """A float extractor of each family, with its head and how it sees images beside it."""
    from tinyml_nas.conversion.flatbuffer import converted, converter_of, taken_apart
    from tinyml_nas.quantization.tflite import write

    root = tmp_path_factory.mktemp("extractors")
    for family in (*FAMILIES, "Rare"):
        (root / family).mkdir()
        flat = converted(converter_of(made(family)))
        write(*taken_apart(flat), root / family, seen=SEEN)
        beside.write(SEEN, root / family)
    return root


@pytest.fixture(scope="module")
def images(sample):
    return beside.inputs(sample.split("train")[:6], 32, SEEN, "float32")


@pytest.mark.parametrize(
    ("family", "quantizer"),
    [
        ("MobileNetV2", Int8(5)),
        ("ResNet18", Int8(5)),
        ("PlainCNN", Int8(5)),
        ("ResNet18", Int8MSE(5)),
        ("MobileNetV2", Int8CLE(5)),
        ("Rare", Int8(5)),
    ],
    ids=str,
)
def test_int8_keeps_the_features_of_a_network_of_chance(
    extractors, images, tmp_path, family, quantizer
):
    made = quantizer.quantize(extractors / family / "extractor.tflite", images, tmp_path)
    assert list(made.signal_to_noise_db.values())[-1] > 12
    assert (made.seen.mean, made.seen.std) == (SEEN.mean, SEEN.std)
    assert made.seen.scale == pytest.approx(1 / 255)
    assert made.seen.zero_point == -128


def test_what_cannot_be_equalized_is_refused(extractors, images, tmp_path):
    with pytest.raises(QuantizationError):
        Int8CLE(5).quantize(extractors / "PlainCNN" / "extractor.tflite", images, tmp_path)


def real(codes, tensor):
    """NCHW reals of codes (N, H, W, C), (N, F) or (F,)."""
    ((scale,), (zero,)) = tensor.quantization.scales, tensor.quantization.zero_points
    codes = codes.reshape(-1, *(1, 1, 1, *tensor.shape)[-3:])
    values = (scale * (codes.astype(np.float32) - zero)).astype(np.float32)
    return torch.from_numpy(values).permute(0, 3, 1, 2)


@pytest.mark.parametrize("family", [*FAMILIES, "Rare"])
def test_what_is_trained_in_int8_is_what_ships(extractors, images, family):
    """Each layer of TFLM's own inputs, within a code; and unrounded, it is the float network."""
    network = tflite.Network.load(extractors / family / "extractor.tflite", images, 6)
    graph = network.prepared.graph
    content = network.prepared.quantized(calibrated(graph, network.images, False))
    quantized = read_as_written(content)
    fake = FakeQuantized(graph, quantized, network.head)
    fake.rounds = False
    exact = ExactNetwork(graph)
    with torch.no_grad():
        features = fake.features(torch.from_numpy(images[:2]).permute(0, 3, 1, 2)).numpy()
    for image, row in zip(images[:2], features, strict=True):
        expected = exact.run(image)[graph.outputs[0]].reshape(-1)
        np.testing.assert_allclose(row, expected, atol=1e-5 * np.abs(expected).max())
    fake.rounds = True
    constants = fake.constants()
    for index, values in constants.items():
        np.testing.assert_array_equal(values, network.prepared.constant(index))

    codes = np.rint(images[:2] * 255 - 128).astype(np.int8)
    indices = [index for _, index in rounded(quantized)]
    rows = oracle.tensors(content, codes, indices)
    equal = []
    for image, row in zip(codes, rows, strict=True):
        values = {graph.inputs[0]: real(image[None], quantized.input)}
        for number, (op, index, theirs) in enumerate(zip(graph.ops, indices, row, strict=True)):
            tensor = quantized.tensors[index]
            expected = real(theirs, tensor)
            with torch.no_grad():
                ours = fake.layer(number, values)
            apart = ((ours - expected).abs() / tensor.quantization.scales[0]).round()
            assert apart.max() <= 1, (op.kind, number)
            equal.append(float((apart == 0).float().mean()))
            values[op.outputs[0]] = expected
    assert np.mean(equal) > 0.95


def test_a_users_network_is_trained_in_int8(extractors, images, sample, tmp_path):
    quantizer = Int8QAT(5, epochs=0.5, batch_size=16, learning_rate=1e-3)
    made = quantizer.quantize(
        extractors / "Rare" / "extractor.tflite",
        images,
        tmp_path,
        Training(sample.split("train")[:64], tmp_path / "work"),
    )
    assert list(made.signal_to_noise_db.values())[-1] > 12
    plain = tmp_path / "plain"
    plain.mkdir()
    other = Int8(5).quantize(extractors / "Rare" / "extractor.tflite", images, plain)
    assert made.artifact.digest != other.artifact.digest


def test_what_torch_would_compute_otherwise_is_not_trained(
    extractors, images, sample, tmp_path, monkeypatch
):
    monkeypatch.setitem(rounded_training.__dict__, "FakeQuantized", Wrong)
    training = Training(sample.split("train")[:64], tmp_path / "work")
    with pytest.raises(QuantizationError, match=r"quantizer=int8_qat: torch computes other feat"):
        Int8QAT(5).quantize(
            extractors / "PlainCNN" / "extractor.tflite", images, tmp_path, training
        )


class Wrong(FakeQuantized):
    def features(self, images: Tensor) -> Tensor:
        return super().features(images).flip(1)
