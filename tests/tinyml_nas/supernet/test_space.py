"""Genes ↔ architecture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tinyml_nas.supernet.conftest import space_from
from tinyml_nas.network.cost import layers
from tinyml_nas.supernet.space import MobileNetV3Space, make_divisible

OFA = space_from("ofa_mbv3")
genotypes = st.tuples(*(st.integers(0, int(bound)) for bound in OFA.upper)).map(np.array)

# The thesis's baseline Υ as reference/search.md lists it: the filters of its 47 convolutions.
UPSILON_FILTERS = [
    *(16, 16, 16, 48, 48, 24, 72, 72, 24, 72, 72, 24, 72, 40, 120, 120, 32, 120, 40),
    *(120, 120, 80, 240, 240, 80, 240, 240, 64, 240, 112, 336, 336, 88, 336, 112),
    *(336, 336, 88, 336, 160, 480, 480, 120, 480, 160, 960, 1280),
]


def filters(spec):
    """Output channels of each convolution, in order."""
    sides = {"stem": spec.stem_channels, "final": spec.final_channels, "mix": spec.features}
    found = []
    for layer in layers(spec):
        *path, kind = layer.name.split(".")
        if layer.name == "classifier":
            continue
        if not path:
            found.append(sides[kind])
            continue
        block = spec.blocks[int(path[1])]
        found.append(
            {"project": block.out_channels, "reduce": block.se_channels}.get(
                kind, block.hidden_channels
            )
        )
    return found


def test_the_smallest_ofa_network_is_the_thesis_baseline(ofa_space):
    spec = ofa_space.spec(ofa_space.smallest(), 10)
    costs = list(layers(spec))
    assert filters(spec) == UPSILON_FILTERS
    assert len(UPSILON_FILTERS) == 47
    assert spec.resolution == 40
    assert sum(layer.parameters for layer in costs) == pytest.approx(2.14e6, abs=0.005e6)
    # The thesis says 6.85 M: convolutions alone are 6.79 M (see docs/results.md).
    assert sum(layer.macs for layer in costs) == pytest.approx(6.85e6, rel=0.01)


def test_the_largest_board_network_has_at_most_30_m_macs(mcu_space):
    macs = sum(layer.macs for layer in layers(mcu_space.spec(mcu_space.largest(), 10)))
    assert 20e6 < macs <= 30e6


@given(genotypes)
def test_canonical_genotypes_are_fixed_points_that_name_the_same_network(genotype):
    canonical = OFA.canonical(genotype)
    assert np.array_equal(OFA.canonical(canonical), canonical)
    assert OFA.spec(canonical, 10) == OFA.spec(genotype, 10)


@given(genotypes, genotypes)
def test_one_network_has_one_genotype(first, second):
    same_genes = np.array_equal(OFA.canonical(first), OFA.canonical(second))
    assert same_genes == (OFA.spec(first, 10) == OFA.spec(second, 10))


def test_every_resolution_is_drawn(ofa_space):
    rng = np.random.default_rng(0)
    drawn = {ofa_space.architecture(ofa_space.sample(rng)).resolution for _ in range(400)}
    assert drawn == set(ofa_space.resolutions)


@pytest.mark.parametrize(("channels", "expected"), [(18, 24), (30, 32), (1, 8), (84, 88), (60, 64)])
def test_make_divisible_follows_mobilenet(channels, expected):
    assert make_divisible(channels) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernels": (3, 4)}, "supernet.kernels"),
        ({"depths": (2, 1)}, "supernet.depths"),
        ({"strides": (1, 2)}, "supernet.strides"),
        ({"strides": (1, 3, 1)}, "supernet.strides"),
        ({"resolutions": ()}, "supernet.resolutions"),
    ],
)
def test_a_bad_space_names_its_key(tiny_space: MobileNetV3Space, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(tiny_space, **changes)


def test_a_genotype_out_of_range_is_refused(tiny_space):
    with pytest.raises(ValueError, match="genes must lie in"):
        tiny_space.canonical(tiny_space.upper + 1)
    with pytest.raises(ValueError, match="needs 11 genes"):
        tiny_space.canonical(np.zeros(3, dtype=np.int64))
