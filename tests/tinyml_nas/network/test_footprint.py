"""What a network costs on a board, and that the smallest of a space costs the least: proofs rest on it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.boards.board import load, names
from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.network.footprint import footprint

SPACES = ("mbv3_mcu", "ofa_mbv3")


@pytest.mark.parametrize("space", SPACES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), board=st.sampled_from(names()))
def test_no_network_of_a_space_costs_less_than_its_smallest(space: str, seed: int, board) -> None:
    drawn = space_from(space)
    least = footprint(drawn.spec(drawn.smallest(), 10), load(board))
    cost = footprint(drawn.spec(drawn.sample(np.random.default_rng(seed)), 10), load(board))
    for field in fields(cost):
        assert getattr(least, field.name) <= getattr(cost, field.name), field.name


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("gene", range(3))
def test_one_gene_above_the_smallest_costs_no_less(space: str, gene: int) -> None:
    drawn, board = space_from(space), load("nucleo_f446re")
    smallest = drawn.smallest()
    least = footprint(drawn.spec(smallest, 10), board)
    for position in range(gene, len(smallest), 3):
        if drawn.upper[position] == 0:
            continue
        next_one = smallest.copy()
        next_one[position] = 1
        cost = footprint(drawn.spec(next_one, 10), board)
        for field in fields(cost):
            assert getattr(least, field.name) <= getattr(cost, field.name), (position, field.name)
