"""A trained network the whole way: shipped supernet → int8 → C++ → emulated boards, on real images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen import ops
from codegen.boards.board import load
from codegen.emit.emitter import context_of, emit
from codegen.learners.tybox import Tybox
from codegen.pixels import normalise, to_codes
from codegen.project import Golden, Project
from codegen.toolchain import target
from codegen.toolchain.host import HostModel
from tests.support.needs import needs_board_tools
from tests.support.pruning import pruned
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.conversion import oracle
from tinyml_nas.conversion.keras import convert
from tinyml_nas.design.split import split
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.module import spec_of
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.supernet.files import load_supernet
from tinyml_nas.training.loop import accuracy, recalibrate

IMAGES = 1000
EMULATED_IMAGES = 200
# One for each core: Cortex-M4, M7, M33 and M55.
BOARDS = ("nucleo_l4r5zi", "nucleo_1mb", "pico2", "corstone300")
PLANNED_WITHIN_BYTES = 1024


@pytest.fixture(scope="module")
def network(sample):
    """Two blocks a stage, 32 pixels: weights as inherited."""
    space = space_from("mbv3_mcu")
    genotype = space.smallest()
    genotype[0] = space.resolutions.index(32)
    genotype[1:].reshape(space.stages, -1)[:, 0] = 1
    inherited = load_supernet(space, 10).extract(genotype)
    recalibrate(inherited, sample.split("train")[:500])
    return inherited


@pytest.fixture(scope="module")
def extractor(network, sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("extractor")
    train = normalise(sample.split("train").pixels[:200])
    keras_model = convert(network, normalise(sample.split("validation").pixels), folder)
    assert keras_model.images == IMAGES
    assert keras_model.max_abs_error <= 1e-4
    return Int8(calibration_images=200).quantize(keras_model.artifact.path, train, folder)


@pytest.fixture(scope="module")
def project(extractor, sample):
    graph, head = split(extractor)
    inputs = to_codes(sample.split("test").pixels)
    features = oracle.features(extractor.artifact.path / "extractor.tflite", inputs)
    return Project(
        name="shipped",
        graph=graph,
        head=head,
        learner=Tybox(1e-4),
        buffer_samples=158,
        board=load("nucleo_1mb"),
        golden=Golden(inputs, features),
    )


@pytest.fixture(scope="module")
def model(project, tmp_path_factory):
    tree = tmp_path_factory.mktemp("host") / "project"
    emit(replace(project, golden=_few(project.golden)), tree)
    return HostModel(tree)


def _few(golden):
    """What the self-test keeps in flash."""
    return Golden(golden.inputs[:4], golden.features[:4])


def test_a_thousand_real_images_give_the_oracles_bytes_and_keep_the_accuracy(
    project, model, network, sample
):
    assert len(project.golden.inputs) == IMAGES
    features = model.features(project.golden.inputs)
    np.testing.assert_array_equal(features, project.golden.features)

    test = sample.split("test")
    deployed = float((model.predict(features) == test.labels).mean())
    assert deployed > 0.5
    assert deployed > accuracy(network, test) - 0.03


def test_what_takes_time_runs_on_fast_kernels(project):
    """General ones remain where a squeeze-excite branch is constant: one pixel each."""
    context = context_of(project)
    graph = context["graph"]
    general = [
        op
        for op in graph.ops
        if (call := ops.OPERATORS[op.kind].lower(graph, op)) and call.kernel.endswith("_any")
    ]
    assert all(graph.tensors[op.outputs[0]].shape[1:3] == (1, 1) for op in general)
    assert len(general) < len(context["calls"]) / 10


@needs_board_tools
@pytest.mark.parametrize("board", BOARDS)
def test_two_hundred_real_images_on_every_emulated_core_and_the_linked_memory(
    project, model, board, tmp_path
):
    inputs = project.golden.inputs[:EMULATED_IMAGES]
    ours = replace(project, board=load(board), golden=_few(project.golden))
    tree = tmp_path / "project"
    emit(ours, tree)
    run = target.run_stream(tree, ours.board, tmp_path / "emulated", model.shape, inputs)
    assert len(run.features) == EMULATED_IMAGES
    np.testing.assert_array_equal(run.features, project.golden.features[:EMULATED_IMAGES])

    planned = context_of(ours)["memory"]
    linked = target.linked(tree, ours.board, tmp_path / "board")
    assert abs(planned.ram_bytes - linked.ram_bytes) <= PLANNED_WITHIN_BYTES
    assert abs(planned.flash_bytes - linked.flash_bytes) <= PLANNED_WITHIN_BYTES


def test_pruning_the_shipped_network_keeps_what_it_was_asked_to(network):
    before = thesis_size_bytes(spec_of(network))
    after = thesis_size_bytes(spec_of(pruned(L1(keep_ratio=0.33), network)))
    assert 0.3267 * before < after <= 0.33 * before
