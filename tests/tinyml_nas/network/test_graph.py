"""What the search plans is what the converter, the quantizer and the reader give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from codegen import ops
from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.frontend.read import read
from codegen.ir import Graph
from codegen.learners.tinyol import TinyOL
from codegen.memory.map import memory_map
from codegen.pixels import normalise, resize
from codegen.plan import arrange, verify
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.conversion.keras import convert
from tinyml_nas.network.cost import layers, thesis_size_bytes
from tinyml_nas.network.equations import omega_parts, sample_bytes
from tinyml_nas.network.footprint import footprint
from tinyml_nas.network.graph import graph_of
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.network.tapping import tapped
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.none import NoQuantization

BOARD = Board("test", "cortex-m7", 480_000_000, 0, 2**21, 0x2400_0000, 2**20)


def network_at(resolution: int, seed: int) -> StaticNetwork:
    """A network of the shipped space with the given input side."""
    space = space_from("mbv3_mcu")
    genotype = space.sample(np.random.default_rng(seed))
    genotype[0] = space.resolutions.index(resolution)
    torch.manual_seed(seed)
    return StaticNetwork(space.spec(genotype, 10)).eval()


def shapes(graph):
    """Kinds, and the shapes of what every operator reads and writes."""
    return [
        (
            op.kind,
            [(graph.tensors[i].shape, graph.tensors[i].dtype) for i in op.inputs],
            [graph.tensors[i].shape for i in op.outputs],
        )
        for op in graph.ops
    ]


@pytest.mark.parametrize(("resolution", "seed"), [(28, 0), (32, 1)])
def test_the_planned_graph_is_the_converted_one(sample, tmp_path, resolution, seed):
    network = network_at(resolution, seed)
    images = normalise(resize(sample.split("train").pixels[:20], resolution))
    keras_model = convert(network, images, tmp_path)
    extractor = Int8(calibration_images=20).quantize(keras_model.artifact.path, images, tmp_path)
    real = read(tmp_path / "extractor.tflite")
    spec = space_from("mbv3_mcu")  # the same draw, as plain numbers
    genotype = spec.sample(np.random.default_rng(seed))
    genotype[0] = spec.resolutions.index(resolution)
    planned = graph_of(spec.spec(genotype, 10))

    NoQuantization().quantize(keras_model.artifact.path, images, tmp_path)
    in_float, real_float = (
        graph_of(spec.spec(genotype, 10), "float32"),
        read(tmp_path / "extractor.tflite"),
    )
    assert shapes(in_float) == shapes(real_float)
    assert arrange(in_float)[1].arena_bytes == arrange(real_float)[1].arena_bytes
    assert ops.constant_bytes(in_float) == ops.constant_bytes(real_float)

    assert shapes(planned) == shapes(real)
    assert arrange(planned)[1].arena_bytes == arrange(real)[1].arena_bytes
    assert ops.constant_bytes(planned) == ops.constant_bytes(real)
    assert extractor.features == planned.output.elements
    shape = Shape(extractor.features, 10, "int8", 1)
    memory = memory_map(*arrange(shapes_only(real)), TinyOL(0.1), shape, BOARD)
    cost = footprint(spec.spec(genotype, 10), BOARD)
    assert (cost.flash_bytes, cost.sram_bytes) == (memory.flash_bytes, memory.ram_bytes)
    assert cost.omega_bytes == sum(omega_parts(real, 10).values()) + sample_bytes(real)
    assert cost.parameters == sum(p.numel() for p in fused(network))


@pytest.mark.parametrize(
    ("taps", "folded"),
    [((0, 1, 2, 3, 4), 64), ((0, 2, 3, 4), 25)],  # one row; rows to be filled up
)
def test_the_planned_graph_of_a_tapped_network_is_the_converted_one(
    small_network, normalised, tmp_path, taps, folded
):
    plain, images = spec_of(small_network), normalised("test", 8, 28)
    network = tapped(small_network, taps, folded, images)
    keras_model = convert(network, images, tmp_path)
    extractor = Int8(calibration_images=8).quantize(keras_model.artifact.path, images, tmp_path)
    planned, real = graph_of(spec_of(network)), read(tmp_path / "extractor.tflite")
    assert shapes(planned) == shapes(real)
    assert ops.constant_bytes(planned) == ops.constant_bytes(real)
    assert extractor.features == planned.output.elements == folded + 10
    NoQuantization().quantize(keras_model.artifact.path, images, tmp_path)
    in_float = graph_of(spec_of(network), "float32")
    assert shapes(in_float) == shapes(read(tmp_path / "extractor.tflite"))
    # A map is pooled as soon as it is made: what is added is the pooled channels, in blocks of 16 bytes.
    arena = arrange(real)[1].arena_bytes
    assert arena == arrange(planned)[1].arena_bytes
    assert arena <= arrange(graph_of(plain))[1].arena_bytes + sum(
        -(-plain.blocks[number].out_channels // 16) * 16 for number in taps
    )


def shapes_only(graph: Graph) -> Graph:
    """What the search knows: an untrained network's scales and data ask for general kernels."""
    bare = (replace(tensor, data=None, quantization=None) for tensor in graph.tensors)
    return replace(graph, tensors=tuple(bare))


def fused(network: StaticNetwork) -> list[torch.Tensor]:
    """Weights and biases with BatchNorm folded: its scale goes into the weights."""
    return [p for name, p in network.named_parameters() if not name.endswith("bn.weight")]


@pytest.mark.parametrize("seed", range(5))
def test_macs_and_activations_are_those_that_torch_runs(seed):
    network = network_at(36, seed)
    macs, outputs = 0, 0

    def count(module, inputs, output):
        nonlocal macs, outputs
        outputs += output.numel()
        if isinstance(module, torch.nn.Conv2d):
            per_output = module.weight[0].numel()
        else:
            per_output = module.in_features
        macs += output.numel() * per_output

    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    network(torch.zeros(1, 3, 36, 36))
    space = space_from("mbv3_mcu")
    genotype = space.sample(np.random.default_rng(seed))
    genotype[0] = space.resolutions.index(36)
    cost = footprint(space.spec(genotype, 10), BOARD)
    assert (cost.macs, cost.activations) == (macs, outputs)


def test_the_thesis_size_of_its_baseline():
    """Υ: 8.72 MB in the thesis, which counts BatchNorm's four numbers a channel and 32-pixel maps.

    With BatchNorm folded and 40-pixel maps it is 8.65 MB.
    """
    space = space_from("ofa_mbv3")
    spec = space.spec(space.smallest(), 10)
    assert thesis_size_bytes(spec) == pytest.approx(8.72e6, rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_plans_are_sound_and_optimal(seed):
    space = space_from("ofa_mbv3" if seed % 2 else "mbv3_mcu")
    spec = space.spec(space.sample(np.random.default_rng(seed)), 10)
    graph, layout = arrange(graph_of(spec))
    verify(graph, layout)
    assert layout.optimal
    assert layout.arena_bytes < 0.95 * layout.live_bytes
    assert sum(layer.macs for layer in layers(spec)) > 0
