"""The network that is trained is the network that ships."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from codegen.frontend.read import read_as_written
from codegen.ir import Graph, Op, Tensor
from tinyml_nas.conversion import oracle
from tinyml_nas.quantization import tflite
from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import ExactNetwork
from tinyml_nas.quantization.fake_quantization import FakeQuantized
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_qat import Int8QAT
from tinyml_nas.quantization.ranges import calibrated

FAMILIES = ("mbv3", "lite0", "tapped")


@pytest.fixture(scope="module")
def networks(models, normalised, tmp_path_factory):
    """Each family's float network, its int8 file, and both in torch."""
    found = {}
    for family, model in models.items():
        network = tflite.Network.load(model, normalised("train", 12, 28), 12)
        graph = network.prepared.graph
        content = network.prepared.quantized(calibrated(graph, network.images, False))
        path = tmp_path_factory.mktemp("int8") / "extractor.tflite"
        path.write_bytes(content)
        quantized = read_as_written(content)
        found[family] = network, path, quantized, FakeQuantized(graph, quantized, network.head)
    return found


def nchw(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def real(codes, tensor):
    """NCHW reals of a tensor's codes."""
    ((scale,), (zero,)) = tensor.quantization.scales, tensor.quantization.zero_points
    return nchw((scale * (codes.astype(np.float32) - zero)).astype(np.float32))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_layer_computes_what_tflm_computes_but_for_the_last_code(networks, normalised, family):
    """Of TFLM's own inputs: it rounds in fixed point, and a code that falls the other way would travel on."""
    network, path, quantized, fake = networks[family]
    graph = network.prepared.graph
    codes = np.rint(normalised("test", 4, 28) * 128).astype(np.int8)
    indices = [op.outputs[0] for op in quantized.ops]
    equal = []
    for image, made in zip(codes, oracle.tensors(path.read_bytes(), codes, indices), strict=True):
        values = {graph.inputs[0]: real(image[None], quantized.input)}
        for number, (op, index, theirs) in enumerate(zip(graph.ops, indices, made, strict=True)):
            tensor = quantized.tensors[index]
            expected = real(theirs.reshape(tensor.shape), tensor)
            with torch.no_grad():
                ours = fake.layer(number, values)
            apart = ((ours - expected).abs() / tensor.quantization.scales[0]).round()
            assert apart.max() <= 1, (op.kind, number)
            equal.append(float((apart == 0).float().mean()))
            values[op.outputs[0]] = expected
    assert np.mean(equal) > 0.95


@pytest.mark.parametrize("family", FAMILIES)
def test_without_rounding_it_is_the_float_network(networks, normalised, family):
    network, _, _, fake = networks[family]
    graph = network.prepared.graph
    fake.rounds = False
    try:
        images = normalised("test", 4, 28)
        with torch.no_grad():
            features = fake.features(nchw(images)).numpy()
    finally:
        fake.rounds = True
    exact = ExactNetwork(graph)
    for image, row in zip(images, features, strict=True):
        expected = exact.run(image)[graph.outputs[0]].reshape(-1)
        np.testing.assert_allclose(row, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_its_weights_go_back_where_they_came_from(networks, family):
    network, _, _, fake = networks[family]
    prepared = network.prepared
    constants = fake.constants()
    for index, values in constants.items():
        np.testing.assert_array_equal(values, prepared.constant(index))
    again = prepared.with_constants(constants)
    assert again.content == prepared.content
    head = fake.head()
    for name, values in network.head.items():
        np.testing.assert_array_equal(head[name], values)


def test_an_operator_that_cannot_be_trained_is_named():
    tensors = (Tensor("a/softmax_1/Softmax", (1, 4), "float32"),) * 2
    graph = Graph(tensors, (Op("SOFTMAX", (0,), (1,)),), (0,), (1,))
    tensors = [
        Tensor(
            "t", (1, 4), "int8", quantization=type("Q", (), {"scales": (1,), "zero_points": (0,)})
        )
        for _ in range(2)
    ]
    quantized = Graph(tuple(tensors), graph.ops, (0,), (1,))
    head = {"weights": np.zeros((2, 4), np.float32), "bias": np.zeros(2, np.float32)}
    with pytest.raises(QuantizationError, match=r"layer softmax cannot .* SOFTMAX .* CONV_2D"):
        FakeQuantized(graph, quantized, head)


def test_training_makes_the_rounded_network_right(lite0_keras_model, sample, normalised, tmp_path):
    """On the images that it trains on, the loss falls, as TFLM computes the features."""
    calibration, images = normalised("train", 12, 28), normalised("train", 96, 28)
    training = Training(sample.split("train")[:96], tmp_path / "work")
    trained = Int8QAT(12, epochs=6, batch_size=32, learning_rate=0.02, teacher_share=0.0)
    losses = []
    for number, quantizer in enumerate((Int8(12), trained)):
        folder = tmp_path / str(number)
        folder.mkdir()
        extractor = quantizer.quantize(lite0_keras_model, calibration, folder, training)
        codes = oracle.features(folder / "extractor.tflite", np.rint(images * 128).astype(np.int8))
        features = extractor.scale * (codes.astype(np.float32) - extractor.zero_point)
        head = load_file(folder / "head.safetensors")
        logits = torch.from_numpy(features @ head["weights"].T + head["bias"])
        labels = torch.from_numpy(training.images.labels.astype(np.int64))
        losses.append(float(nn.functional.cross_entropy(logits, labels)))
    assert losses[1] < 0.6 * losses[0]


def test_it_needs_images_to_train_on(small_keras_model, normalised, sample, tmp_path):
    images = normalised("train", 2, 28)
    for training in (None, Training(sample.split("train")[:0], tmp_path)):
        with pytest.raises(ValueError, match="quantizer=int8_qat: needs labelled training images"):
            Int8QAT(2).quantize(small_keras_model, images, tmp_path, training)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0.0}, r"^quantizer\.epochs: must be above 0"),
        ({"teacher_share": 1.1}, r"^quantizer\.teacher_share: must be in \[0, 1\]; got 1\.1"),
        ({"batch_size": 0}, r"batch_size: must be positive; got 0"),
        ({"learning_rate": -1.0}, r"learning_rate: must be positive; got -1"),
        ({"calibration_images": 0}, r"^quantizer\.calibration_images: must be 1 or more"),
        ({"seed": -1}, r"^quantizer\.seed: must not be negative"),
    ],
)
def test_values_out_of_range_name_the_key(values, message):
    with pytest.raises(ValueError, match=message):
        Int8QAT(**values)
