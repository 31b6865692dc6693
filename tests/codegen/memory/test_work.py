"""Instructions and stack as they are told, against an emulated board and the code as it is compiled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import emulated, networks
from codegen.boards.board import CORES, load
from codegen.buffers.base import Shape
from codegen.emit.emitter import context_of, emit
from codegen.learners.imprint_replay import ImprintReplay
from codegen.learners.online_lda import OnlineLda
from codegen.learners.tybox import Tybox
from codegen.memory import work
from codegen.memory.code_size import measured as sizes
from codegen.memory.fit import fit
from codegen.memory.work import work_of
from codegen.passes.prepare import prepare
from codegen.toolchain import target
from tests.codegen.conftest import BOARDS, identity_graph
from tests.support.mobile import FEATURES, mobile_project
from tests.support.needs import needs_board_tools
from tools.code_size.firmware import every_learner
from tools.code_size.stack import depth, functions

SAMPLES = 40
TIMES = 1.4
"""How far an estimate may be off: more than it was on the networks that were held back."""


@pytest.fixture(scope="module")
def mobile(sample):
    """A network that the fit has not seen, with squeeze-excite and hard-swish."""
    images = sample.split("test").pixels[:2]
    return mobile_project(BOARDS["cortex-m4"], images, Tybox(0.01), SAMPLES)


@pytest.fixture(scope="module")
def built(mobile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    return folder, emulated.build(mobile, folder, "stream", emulated=True)


@needs_board_tools
def test_instructions_are_about_those_that_an_emulated_board_executes(mobile, built, sample):
    folder, program = built
    images = np.resize(mobile.golden.inputs, (SAMPLES + 1, *mobile.golden.inputs.shape[1:]))
    labels = [number % mobile.head.classes for number in range(SAMPLES + 1)]

    def executed(count, given):
        labels = given[:count] if given else None
        run = emulated.stream(program, mobile, folder, networks.CACHE, images[:count], labels, {})
        return run.total

    classify = executed(2, None) - executed(1, None)  # with a sample's input and output
    learn = executed(SAMPLES + 1, labels) - executed(SAMPLES, labels) - classify
    told = context_of(mobile)["work"]
    assert classify / TIMES < told.classify < classify * TIMES
    assert learn / TIMES < told.learn < learn * TIMES


@needs_board_tools
def test_the_stack_is_bounded_by_what_is_compiled_and_that_by_what_is_told(mobile, built):
    """Painted on the emulated board, walked over in its code, and as the memory map tells it."""
    folder, _ = built
    tree, board = folder / "project", mobile.board
    printed = target.run_self_test(tree, board, folder / "again")
    painted = target.stack_bytes(printed)
    walked = depth(functions(folder / "again" / "self_test.elf"), "Reset_Handler")
    assert painted <= walked
    firmware = functions(emulated.build(mobile, folder, "firmware", emulated=False))
    told = context_of(mobile)["work"].stack_bytes
    assert depth(firmware, "Reset_Handler") <= told < board.stack_bytes
    assert painted <= told


def test_every_kernel_was_counted_and_what_was_not_is_like_the_others(mobile):
    graph, _ = prepare(mobile.graph)
    for core in CORES:
        kernels = work.measured()["cores"][core]["kernels"]
        assert set(kernels) - {work.ANY} <= set(sizes()["cores"][core]["kernels"])
        usual = {key for keys in sizes()["operators"].values() for key in keys.values() if key}
        assert len(usual - set(kernels)) < len(usual) / 3
        assert 0.6 < work.work_error(core)["least"] <= work.work_error(core)["most"] < 1.6
        assert work.extraction(graph, core) > 1e5


def test_every_learner_has_its_cost():
    shape = Shape(FEATURES, 10, "int8", 50)
    for learner in every_learner():
        assert learner.multiply_adds(replace(shape, buffer_samples=50)) > 0
        for core in CORES:
            assert learner.code()[0] in work.measured()["learners"][core]


def test_seconds_are_at_the_boards_clock(mobile):
    """And each pass of a learning step is counted."""
    told = {}
    for name in ("nucleo_l4r5zi", "nucleo_f446re"):
        fitted = fit(mobile.graph, mobile.learner, mobile.classes, load(name))
        told[name] = fitted.work(50)
    assert told["nucleo_l4r5zi"].hz == 120_000_000
    assert told["nucleo_l4r5zi"].learn == told["nucleo_f446re"].learn
    one = replace(told["nucleo_l4r5zi"], hz=1000)
    assert one.milliseconds(7) == 7
    assert one.milliseconds(0) == 0
    assert replace(one, hz=1001).milliseconds(7) == 7
    shape = Shape(FEATURES, 10, "int8", 100)
    board = load("nucleo_g0b1re")
    graph, _ = prepare(mobile.graph)
    slow, fast = (work_of(graph, Tybox(passes=n), shape, board) for n in (2, 1))
    assert slow.learn == pytest.approx(2 * fast.learn, abs=2)
    assert slow.classify == fast.classify


def test_a_learner_that_takes_long_is_told_with_what_to_set(tmp_path, make_identity):
    """And with it a step takes no more than a second; half of that much more would."""
    shape = Shape(192, 10, "int8", 500)
    for name, learner in (
        ("nucleo_g0b1re", Tybox(passes=2)),
        ("pico", ImprintReplay(replayed=499)),
    ):
        board = load(name)
        found = work.quicker(learner, shape, board)
        assert list(found) == ["replayed"]
        replayed, graph = found["replayed"], identity_graph(192, "int8")
        quick, slow = (
            work_of(graph, replace(learner, replayed=count), shape, board).learn / board.running_hz
            for count in (replayed, replayed + max(1, replayed // 2))
        )
        assert quick <= 1 < slow
        assert not work.quicker(replace(learner, replayed=replayed), shape, board)
        assert not work.quicker(learner, replace(shape, buffer_samples=1), board)
    assert not work.quicker(OnlineLda(), replace(shape, features=1000), load("pico"))
    project = make_identity(features=192, classes=10, buffer_samples=500, core="cortex-m0plus")
    for learner in (project.learner, replace(project.learner, replayed=3)):
        emit(replace(project, learner=learner), tmp_path)
        readme = (tmp_path / "README.md").read_text()
        assert ("python -m codegen --replayed" in readme) == (learner.replayed is None)
