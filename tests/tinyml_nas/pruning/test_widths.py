from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.pruning.none import NoPruning
from tinyml_nas.pruning.widths import Share, widest_share


@given(st.integers(1, 300), st.integers(1, 16), st.fractions(0, 1), st.fractions(0, 1))
def test_kept_channels_are_whole_multiples_and_grow_with_the_share(channels, round_to, a, b):
    low, high = (Share(value, round_to).kept(channels) for value in sorted((a, b)))
    assert 1 <= low <= high <= channels
    assert low % round_to == 0 or low == channels
    assert abs(low - min(a, b) * channels) <= max(round_to, channels - low)


def test_half_of_the_channels_is_half_of_them():
    assert [Share(Fraction(1, 2), 4).kept(c) for c in (4, 8, 16, 20, 24)] == [4, 4, 8, 12, 12]


def test_the_whole_share_keeps_widths_that_are_no_multiple():
    assert Share(Fraction(1), 4).kept(5) == 5


@pytest.mark.parametrize("keep_ratio", [0.33, 0.49, 1.0])
@pytest.mark.parametrize("round_to", [1, 4, 8])
def test_no_wider_share_fits(small_spec, keep_ratio, round_to):
    limit = keep_ratio * thesis_size_bytes(small_spec)
    share = widest_share(small_spec, thesis_size_bytes, limit, round_to)
    assert thesis_size_bytes(share.of(small_spec)) <= limit
    sizes = [
        thesis_size_bytes(Share(Fraction(step, 400), round_to).of(small_spec))
        for step in range(401)
        if Fraction(step, 400) > share.value
    ]
    wider = [size for size in sizes if size > thesis_size_bytes(share.of(small_spec))]
    assert all(size > limit for size in wider)


def test_a_network_that_cannot_get_so_small_is_refused(small_spec):
    with pytest.raises(ValueError, match=r"^pruning\.keep_ratio: must be at least 0\.\d+ here"):
        widest_share(small_spec, thesis_size_bytes, 100, 4)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000), keep_ratio=st.floats(0.2, 1.0), round_to=st.sampled_from([1, 4])
)
def test_what_pruning_will_leave_is_known_before_there_are_weights(seed, keep_ratio, round_to):
    space = space_from("mbv3_mcu")
    spec = space.spec(space.sample(np.random.default_rng(seed)), 10)
    kept = L1(keep_ratio, round_to).narrowed(spec, thesis_size_bytes)
    assert thesis_size_bytes(kept) <= keep_ratio * thesis_size_bytes(spec)
    assert (kept.resolution, kept.classes) == (spec.resolution, spec.classes)
    assert NoPruning().narrowed(spec, thesis_size_bytes) == spec
