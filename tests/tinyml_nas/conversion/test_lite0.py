"""Random networks of the Lite0 space, pruned ones too, from torch to the generated C++."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from codegen import ops
from codegen.frontend.read import parse, read
from codegen.pixels import normalise, resize
from codegen.plan import arrange
from tests.support.extractors import compile_extractors
from tests.support.lite0 import lite0_space, supernet
from tests.support.pruning import pruned
from tests.tinyml_nas.network.test_graph import shapes
from tinyml_nas.conversion import oracle
from tinyml_nas.conversion.equivalence import MAX_ABS_ERROR
from tinyml_nas.conversion.keras import convert
from tinyml_nas.network.graph import graph_of
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.training.loop import recalibrate

pytestmark = [
    pytest.mark.slow,  # four conversions and quantizations
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected"),
]
SPACE = lite0_space()
CASES = [(0, None), (1, None), (2, 0.49), (3, 0.33)]


def network_of(sample, seed: int, keep_ratio: float | None) -> StaticNetwork:
    """A random network as it is inherited, pruned to ``keep_ratio`` of its bytes."""
    genotype = SPACE.sample(np.random.default_rng(seed))
    genotype[0] = seed  # 32, 40, 48 and 56 pixels: maps of both parities
    network = supernet().extract(genotype)
    if keep_ratio is not None:
        network = pruned(L1(keep_ratio), network)
    recalibrate(network, sample.split("train")[:250])
    return network


@pytest.mark.parametrize(("seed", "keep_ratio"), CASES)
def test_a_network_is_the_same_at_every_step(sample, tmp_path, seed, keep_ratio):
    network = network_of(sample, seed, keep_ratio)
    spec = spec_of(network)
    pixels = resize(sample.split("test").pixels[:50], spec.resolution)

    model = convert(network, normalise(pixels), tmp_path)
    assert model.max_abs_error <= MAX_ABS_ERROR

    Int8(calibration_images=50).quantize(model.artifact.path, normalise(pixels), tmp_path)
    tflite = tmp_path / "extractor.tflite"
    planned, real = graph_of(spec), read(tflite)
    # Nothing but what computes: the file as it is written, before the compiler simplifies it.
    written = Counter(op.kind for op in parse(tflite.read_bytes()).ops)
    assert written == Counter(op.kind for op in planned.ops)
    assert set(written) <= {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "RESHAPE"}
    assert shapes(planned) == shapes(real)
    assert arrange(planned)[1].arena_bytes == arrange(real)[1].arena_bytes
    assert ops.constant_bytes(planned) == ops.constant_bytes(real)

    (extractor,) = compile_extractors([real], tmp_path / "cpp")
    codes = (pixels.astype(np.int16) - 128).astype(np.int8)
    np.testing.assert_array_equal(
        np.asarray(extractor(codes)).reshape(len(codes), -1), oracle.features(tflite, codes)
    )


def test_what_is_pruned_keeps_its_padding_and_its_kind(sample):
    network = network_of(sample, 3, 0.33)
    spec = spec_of(network)
    assert (spec.padding, spec.activation, spec.mix) == ("same", "relu6", False)
    assert spec.features == network.classifier.in_features
    with torch.no_grad():
        assert network(torch.zeros(1, 3, spec.resolution, spec.resolution)).shape == (1, 10)
