"""``pruning=fit``: as little as the planner asks for, and what is said where no pruning helps."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from codegen.boards.board import load
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from tests.support.pruning import LIMITS, pruned
from tests.tinyml_nas.pruning.conftest import network_of
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.design.memory.mcu import McuMemory
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.design.omega import size_of_shapes
from tinyml_nas.network.module import spec_of
from tinyml_nas.pruning.groups import layout_of
from tinyml_nas.pruning.l1 import L1

FIT = L1(keep_ratio=None, buffer_samples=100)
BOARD = load("nucleo_1mb")


def room_of(memory, board=BOARD, learner=Tybox(0.01), samples=100) -> OmegaLimits:  # noqa: B008
    return OmegaLimits(board, memory, learner, (), samples)


def needed(spec, room: OmegaLimits, model: str, memory: str = "ram") -> int:
    """Bytes of Ω with as many samples as the room asks for."""
    size = size_of_shapes(
        spec, room.learner, room.board, replace(room.memory, max_buffer_samples=room.buffer_samples)
    )
    return size.reports[model].used(memory)


@pytest.mark.parametrize("scope", ["uniform", "global"])
@pytest.mark.parametrize("family", ["mbv3_mcu", "lite0"])
def test_it_is_the_mildest_that_fits_a_budget_with_its_buffer(family, scope):
    network = network_of(family, 3)
    budget = round(0.6 * needed(spec_of(network), room_of(ThesisMemory(10**9)), "thesis"))
    room = room_of(ThesisMemory(budget))
    layout = layout_of(spec_of(pruned(replace(FIT, scope=scope), network, room)))
    assert 0.99 * budget < needed(layout.spec, room, "thesis") <= budget
    size = size_of_shapes(layout.spec, room.learner, BOARD, room.memory)
    assert size.fits
    assert size.buffer_samples >= 100
    whole = layout_of(spec_of(network)).widths
    for index, width in enumerate(layout.widths):
        if width < whole[index]:
            wider = (*layout.widths[:index], width + 4, *layout.widths[index + 1 :])
            assert room.lacks(layout.narrowed(wider))


def test_it_fits_flash_and_ram_of_a_board(small_network):
    spec = spec_of(small_network)
    roomy = room_of(McuMemory())
    flash, ram = (needed(spec, roomy, "mcu", memory) for memory in ("flash", "ram"))
    for board in (replace(BOARD, flash_bytes=flash - 4000), replace(BOARD, ram_bytes=ram - 2000)):
        room = room_of(McuMemory(), board)
        smaller = spec_of(pruned(FIT, small_network, room))
        assert smaller != spec
        assert smaller == FIT.narrowed(spec, replace(LIMITS, room=room))
        assert size_of_shapes(smaller, room.learner, board, room.memory).fits


def test_what_fits_whole_is_left_whole_to_the_byte(small_network):
    spec = spec_of(small_network)
    budget = needed(spec, room_of(ThesisMemory(10**9)), "thesis")
    assert spec_of(pruned(FIT, small_network, room_of(ThesisMemory(budget)))) == spec
    assert spec_of(pruned(FIT, small_network, room_of(ThesisMemory(budget - 1)))) != spec


@pytest.mark.parametrize(
    ("memory", "learner"),
    [(ThesisMemory(10**9, max_buffer_samples=7), Tybox(0.01)), (ThesisMemory(10**9), TinyOL(0.01))],
)
def test_no_larger_buffer_is_made_room_for_than_there_will_be(small_spec, memory, learner):
    """Where the learner, or the memory model, keeps fewer samples than are asked for."""
    few = room_of(memory, learner=learner, samples=7 if memory.max_buffer_samples else 1)
    tight = replace(memory, budget_bytes=needed(small_spec, few, "thesis"))
    assert not room_of(tight, learner=learner).lacks(small_spec)
    assert room_of(replace(tight, budget_bytes=tight.budget_bytes - 1), learner=learner).lacks(
        small_spec
    )


def test_a_budget_that_no_pruning_meets_names_the_key_and_what_would_do(small_spec):
    data, limits = Cifar10Sample(), replace(LIMITS, room=room_of(ThesisMemory(2000)))
    with pytest.raises(ValueError, match=r"no pruning fits.*memory\.budget_bytes") as told:
        FIT.check([small_spec], limits, data)
    enough = int(re.search(r"at least ([\d,]+)", str(told.value))[1].replace(",", ""))
    FIT.check([small_spec], replace(LIMITS, room=room_of(ThesisMemory(enough))), data)
    with pytest.raises(ValueError, match="no pruning fits"):
        FIT.check([small_spec], replace(LIMITS, room=room_of(ThesisMemory(enough - 1))), data)


def test_the_flash_that_is_missing_is_named(small_spec):
    room = room_of(McuMemory(), replace(BOARD, flash_bytes=4000, ram_bytes=9000))
    lacks = room.lacks(small_spec)
    assert lacks.keys() == {"device.flash_bytes", "device.ram_bytes"}
    flash, ram = lacks["device.flash_bytes"], lacks["device.ram_bytes"]
    enough = replace(BOARD, flash_bytes=flash, ram_bytes=ram)
    assert not replace(room, board=enough).lacks(small_spec)
    for short in (replace(enough, flash_bytes=flash - 1), replace(enough, ram_bytes=ram - 8)):
        assert replace(room, board=short).lacks(small_spec)
