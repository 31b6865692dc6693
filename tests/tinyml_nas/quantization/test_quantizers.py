from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from safetensors.numpy import load_file

from tinyml_nas.conversion.native import stderr_held
from tinyml_nas.quantization import tflite
from tinyml_nas.quantization.calibration import chosen, with_extremes
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.none import NoQuantization


@pytest.fixture(scope="module")
def int8(small_keras_model, normalised, tmp_path_factory):
    calibration = normalised("train", 40, 28)
    return Int8(40).quantize(small_keras_model, calibration, tmp_path_factory.mktemp("int8"))


@pytest.fixture(scope="module")
def float32(small_keras_model, normalised, tmp_path_factory):
    empty = normalised("train", 0, 28)
    return NoQuantization().quantize(small_keras_model, empty, tmp_path_factory.mktemp("float32"))


@pytest.fixture(scope="module")
def torch_features(small_network, normalised):
    with torch.no_grad():
        images = torch.from_numpy(normalised("test", 50, 28)).permute(0, 3, 1, 2)
        return small_network.features(images).numpy()


def graph(extractor):
    content = (extractor.artifact.path / "extractor.tflite").read_bytes()
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))


def kinds(extractor):
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = graph(extractor)
    return [
        names[model.operatorCodes[op.opcodeIndex].builtinCode]
        for op in model.subgraphs[0].operators
    ]


def test_float_features_are_torchs(float32, torch_features, normalised, features_of):
    assert (float32.dtype, float32.scale, float32.zero_point) == ("float32", 1.0, 0)
    features = features_of(float32, normalised("test", 50, 28))
    np.testing.assert_allclose(features, torch_features, atol=1e-4)


def test_int8_features_are_near_torchs(int8, torch_features, normalised, features_of):
    assert (int8.dtype, int8.features) == ("int8", 40)
    noise = features_of(int8, normalised("test", 50, 28)) - torch_features
    signal_to_noise_db = 10 * np.log10((torch_features**2).sum() / (noise**2).sum())
    assert signal_to_noise_db > 15  # measured: 17 with random weights, 23 with trained ones


def test_code_of_an_input_pixel_is_the_byte_less_128(int8):
    main = graph(int8).subgraphs[0]
    source = main.tensors[main.inputs[0]]
    assert (list(source.shape), source.type) == ([1, 28, 28, 3], schema.TensorType.INT8)
    assert (list(source.quantization.scale), list(source.quantization.zeroPoint)) == (
        [1 / 128],
        [0],
    )


def test_scale_and_zero_point_are_the_flatbuffers(int8):
    main = graph(int8).subgraphs[0]
    result = main.tensors[main.outputs[0]]
    assert (list(result.shape), result.type) == ([1, 1, 1, 40], schema.TensorType.INT8)
    assert int8.scale == pytest.approx(result.quantization.scale[0])
    assert int8.zero_point == result.quantization.zeroPoint[0]


def test_operators_are_the_ones_the_generator_knows(int8, float32):
    known = {"CONV_2D", "DEPTHWISE_CONV_2D", "HARD_SWISH", "MEAN", "MUL", "ADD"}
    assert set(kinds(int8)) == set(kinds(float32)) == known


def test_a_clip_adds_no_operator(int8, float32):
    assert kinds(int8) == kinds(float32)


def test_weights_are_int8_per_channel_and_symmetric(int8):
    main = graph(int8).subgraphs[0]
    convolutions = [op for op in main.operators if len(op.inputs) == 3]
    assert len(convolutions) == 1 + 2 + 3 * 4 + 2 * 2 + 2  # stem, blocks, their SE, final and mix
    for op in convolutions:
        weights, bias = (main.tensors[index] for index in op.inputs[1:])
        assert (weights.type, bias.type) == (schema.TensorType.INT8, schema.TensorType.INT32)
        assert len(weights.quantization.scale) == len(bias.quantization.scale) == bias.shape[0]
        assert not weights.quantization.zeroPoint.any()


def test_head_is_torchs_classifier(int8, float32, small_network):
    for extractor in (int8, float32):
        head = load_file(extractor.artifact.path / "head.safetensors")
        assert head.keys() == {"weights", "bias"}
        np.testing.assert_array_equal(head["weights"], small_network.classifier.weight.detach())
        np.testing.assert_array_equal(head["bias"], small_network.classifier.bias.detach())


def test_equal_input_gives_equal_bytes(int8, small_keras_model, normalised, tmp_path):
    again = Int8(40).quantize(small_keras_model, normalised("train", 40, 28), tmp_path)
    assert again.artifact.digest == int8.artifact.digest
    assert {path.name for path in tmp_path.iterdir()} == {"extractor.tflite", "head.safetensors"}


def test_only_the_asked_number_of_images_is_used(small_keras_model, normalised, tmp_path):
    images = normalised("train", 21, 28)
    images[20] *= 3  # would be noticed, see below
    Int8(20, clip_hard_swish=False).quantize(small_keras_model, images, tmp_path)


def test_images_that_are_not_normalised_are_noticed(small_keras_model, normalised, tmp_path):
    with pytest.raises(QuantizationError, match=r"scale 0\.\d+ and zero point .* expected"):
        Int8(4).quantize(small_keras_model, normalised("train", 4, 28) * 3, tmp_path)
    assert not list(tmp_path.iterdir())


def test_extremes_are_planted_in_a_copy(normalised):
    images = np.zeros((3, 8, 8, 3), np.float32)
    planted = with_extremes(images)
    assert not images.any()
    assert (planted[0, 0, 0] == -1).all()
    assert (planted[0, 0, 1] == 127 / 128).all()
    assert np.count_nonzero(planted) == 6


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 8, 8, 3)), r"^quantizer\.calibration_images: .* the 0 images .* got 2"),
        (np.zeros((2, 8, 9, 3)), r"^calibration: .* \(N, 8, 8, 3\).* got \(2, 8, 9, 3\)"),
        (np.zeros((2, 8, 8)), r"^calibration: .* got \(2, 8, 8\)"),
        (np.full((2, 8, 8, 3), np.nan), r"^calibration: image 0 is not finite, and 2 of 2"),
        (
            np.stack([np.zeros((8, 8, 3)), np.full((8, 8, 3), np.inf)]),
            "image 1 is not finite, and 1 of",
        ),
    ],
)
def test_images_that_nothing_can_be_learnt_from_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        chosen(images.astype(np.float32), 2, (8, 8, 3))


def test_too_few_images_name_the_key(small_keras_model, normalised, tmp_path):
    with pytest.raises(ValueError, match=r"^quantizer\.calibration_images: .* the 3 images .* 20"):
        Int8(20).quantize(small_keras_model, normalised("train", 3, 28), tmp_path)


def test_a_count_out_of_range_names_the_key():
    with pytest.raises(ValueError, match=r"^quantizer\.calibration_images: must be 1 or more"):
        Int8(0)


def test_a_network_without_flatten_and_dense_is_refused(tmp_path):
    from tinyml_nas.conversion.backend import keras

    image = keras.Input((4, 4, 3))
    keras.Model(image, keras.layers.Conv2D(2, 1)(image)).save(tmp_path / "model.keras")
    with pytest.raises(QuantizationError, match="must end in Flatten and Dense"):
        tflite.split(tmp_path / "model.keras")


def test_plugins_are_imported_without_the_heavy_libraries():
    modules = "tinyml_nas.quantization.int8, tinyml_nas.quantization.none, "
    modules += "tinyml_nas.pruning.l1, tinyml_nas.pruning.none"
    code = f"import sys, {modules}; print(sorted({{'torch', 'tensorflow', 'keras'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_native_stderr_is_shown_only_on_failure(capfd):
    def noisy(error=None):
        with stderr_held():
            os.write(2, b"chatter\n")
            if error:
                raise error

    noisy()
    assert not capfd.readouterr().err
    with pytest.raises(RuntimeError, match="cause"):
        noisy(RuntimeError("cause"))
    assert capfd.readouterr().err == "chatter\n"
