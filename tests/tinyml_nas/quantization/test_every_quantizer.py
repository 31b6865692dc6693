"""Whatever the quantizer, the device computes what TFLM computes, with nothing but what the network has."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from safetensors.numpy import load_file

from codegen.frontend.read import parse, read
from codegen.pixels import to_codes
from tests.support.extractors import compile_extractors
from tinyml_nas.conversion import oracle
from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.int8_mse import Int8MSE
from tinyml_nas.quantization.int8_qat import Int8QAT
from tinyml_nas.quantization.layers import layer_names

IMAGES = 16
QUANTIZERS = {
    "int8": Int8(IMAGES),
    "int8_cle": Int8CLE(IMAGES),
    "int8_mse": Int8MSE(IMAGES),
    "int8_qat": Int8QAT(IMAGES, epochs=2, batch_size=32, learning_rate=1e-3),
}
FAMILIES = ("mbv3", "lite0", "tapped")
CASES = [(family, quantizer) for family in FAMILIES for quantizer in QUANTIZERS]


@pytest.fixture(scope="module")
def made(models, normalised, sample, tmp_path_factory):
    """Each network by each quantizer."""
    calibration = normalised("train", IMAGES, 28)
    found = {}
    for family, quantizer in CASES:
        folder, work = (tmp_path_factory.mktemp(f"{family}_{quantizer}") for _ in range(2))
        training = Training(sample.split("train")[:64], work)
        found[family, quantizer] = QUANTIZERS[quantizer].quantize(
            models[family], calibration, folder, training
        )
    return found


def flatbuffer(extractor):
    return extractor.artifact.path / "extractor.tflite"


@pytest.fixture(scope="module")
def programs(made, tmp_path_factory):
    """The C++ of all of them, in one library."""
    graphs = [read(flatbuffer(made[case])) for case in CASES]
    library = compile_extractors(graphs, tmp_path_factory.mktemp("cpp"), ("-O1",))
    return dict(zip(CASES, library, strict=True))


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_program_and_the_reference_give_the_same_bytes(made, programs, sample, case):
    codes = to_codes(sample.split("test").pixels[:20, 2:30, 2:30])
    ours = np.asarray(programs[case](codes)).reshape(len(codes), -1)
    reference = oracle.features(flatbuffer(made[case]), codes)
    np.testing.assert_array_equal(ours, reference)
    assert len(np.unique(ours)) > 20


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_there_are_no_operators_but_those_of_the_float_network(made, prepared, case):
    """No transposes, nothing in float, no pairs of QUANTIZE: the file as it is written."""
    family, _ = case
    written = parse(flatbuffer(made[case]).read_bytes())
    assert [op.kind for op in written.ops] == [op.kind for op in prepared[family].graph.ops]
    known = {
        "mbv3": {"CONV_2D", "DEPTHWISE_CONV_2D", "HARD_SWISH", "MEAN", "MUL", "ADD"},
        "lite0": {"CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "ADD"},
    }
    known["tapped"] = known["mbv3"] | {"CONCATENATION", "PAD", "RESHAPE"}
    assert set(Counter(op.kind for op in written.ops)) == known[family]
    activations = [written.tensors[op.outputs[0]] for op in written.ops]
    assert {tensor.dtype for tensor in activations} == {"int8"}


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_each_layer_has_its_signal_to_noise(made, prepared, case):
    family, _ = case
    noise = made[case].signal_to_noise_db
    assert list(noise) == layer_names(prepared[family].graph)
    # A correct layer of these networks keeps more than it loses; one that is wrong has 0 dB or less.
    assert min(noise.values()) > 5
    assert list(noise.values())[-1] > 12


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_keep_their_shapes_and_padding_its_zeros(made, prepared, family):
    """What training moves are weights: the row and the column that pad a kernel of even size stay zero."""
    graph, padded = prepared[family].graph, 0
    for quantizer in QUANTIZERS:
        written = parse(flatbuffer(made[family, quantizer]).read_bytes())
        for op, other in zip(graph.ops, written.ops, strict=True):
            if op.kind.endswith("CONV_2D"):
                before, after = graph.tensors[op.inputs[1]], written.tensors[other.inputs[1]]
                assert before.shape == after.shape
                channels = (0, 3)
                unused = ~(before.data != 0).any(axis=channels)
                assert not after.data[:, unused].any()
                padded += unused.sum()
    assert bool(padded) == (family != "lite0")  # TensorFlow's padding needs no wider kernels


@pytest.mark.parametrize("family", FAMILIES)
def test_only_training_changes_the_head(made, family):
    heads = {
        name: load_file(made[family, name].artifact.path / "head.safetensors")
        for name in QUANTIZERS
    }
    for name in ("int8_cle", "int8_mse"):
        np.testing.assert_array_equal(heads[name]["weights"], heads["int8"]["weights"])
    assert heads["int8_qat"]["weights"].shape == heads["int8"]["weights"].shape
    assert np.abs(heads["int8_qat"]["weights"] - heads["int8"]["weights"]).max() > 0
