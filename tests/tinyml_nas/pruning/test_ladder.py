"""Widths from importances: whole multiples, none of nothing, as wide as a limit allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.pruning.groups import Group
from tinyml_nas.pruning.ladder import by_bytes, ranked, uniform

WIDTHS = st.lists(st.integers(1, 60), min_size=1, max_size=6)
ROUND_TO = st.sampled_from([1, 3, 4, 8])


def groups_of(widths):
    return [Group(f"layer{index}", width) for index, width in enumerate(widths)]


def ladder_of(data, widths, round_to):
    kind = data.draw(st.sampled_from(["uniform", "bytes", "ranked"]))
    if kind == "uniform":
        return uniform(groups_of(widths), round_to)
    if kind == "bytes":
        held = [data.draw(st.floats(1, 1e6)) for _ in widths]
        return by_bytes(groups_of(widths), held, round_to)
    scores = [data.draw(st.lists(st.floats(0, 9), min_size=w, max_size=w)) for w in widths]
    return ranked(groups_of(widths), scores, round_to)


@given(st.data(), WIDTHS, ROUND_TO)
def test_every_rung_widens_one_group_by_one_multiple_up_to_the_whole(data, widths, round_to):
    ladder = ladder_of(data, widths, round_to)
    before = ladder.narrowest
    assert before == tuple(min(round_to, width) for width in widths)
    for height in range(1, len(ladder.rungs) + 1):
        after = ladder.at(height)
        (gained,) = [i for i in range(len(widths)) if after[i] != before[i]]
        assert 0 < after[gained] - before[gained] <= round_to
        assert after[gained] % round_to == 0 or after[gained] == widths[gained]
        before = after
    assert before == tuple(widths)


@given(st.data(), WIDTHS, ROUND_TO, st.floats(0, 1))
def test_no_group_could_gain_another_multiple_within_the_limit(data, widths, round_to, share):
    ladder = ladder_of(data, widths, round_to)
    prices = [data.draw(st.integers(1, 9)) for _ in widths]
    limit = share * sum(p * w for p, w in zip(prices, widths, strict=True))

    def accepts(chosen):
        return sum(p * w for p, w in zip(prices, chosen, strict=True)) <= limit

    found = ladder.widest(accepts)
    if found is None:
        assert not accepts(ladder.narrowest)
        return
    assert accepts(found)
    for index, width in enumerate(widths):
        if found[index] < width:
            wider = min(found[index] + round_to, width)
            assert not accepts((*found[:index], wider, *found[index + 1 :]))


def test_uniform_keeps_the_same_share_of_every_group():
    ladder = uniform(groups_of([8, 40, 200]), 4)
    half = ladder.widest(lambda widths: sum(widths) <= 124)
    assert half == (4, 20, 100)


def test_by_bytes_eight_times_the_bytes_keep_half_the_share():
    ladder = by_bytes(groups_of([400, 400, 400]), [800, 6_400, 1], 4)
    height = next(h for h in range(len(ladder.rungs)) if ladder.at(h)[0] == 200)
    assert ladder.at(height) == (200, 100, 400)


def test_ranked_spends_where_the_importance_is():
    """Scores are relative to their group's mean: the sizes of the norms play no part."""
    equal, few = [5.0] * 16, [1000.0] * 4 + [1.0] * 12
    ladder = ranked(groups_of([16, 16]), [equal, few], 4)
    assert ladder.widest(lambda widths: sum(widths) <= 20) == (16, 4)


def test_groups_of_zeros_are_the_first_to_go():
    ladder = ranked(groups_of([8, 8]), [[0.0] * 8, [1.0] * 8], 4)
    assert ladder.widest(lambda widths: sum(widths) <= 12) == (4, 8)
