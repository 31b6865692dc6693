"""The thesis's equations 3-5, and its own figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.buffers.base import Shape
from codegen.ir import Graph, Tensor
from codegen.learners.base import name_of
from codegen.learners.lda import Lda
from codegen.learners.ncm import Ncm
from codegen.learners.online_lda import OnlineLda
from codegen.learners.rls import Rls
from codegen.learners.tybox import Tybox
from tinyml_nas.design.memory.mcu import McuMemory
from tinyml_nas.design.memory.thesis import ThesisMemory
from tinyml_nas.network.equations import activation_pair, parameters


def asked(graph: Graph) -> tuple[Graph, Tybox, Shape]:
    shape = Shape(graph.output.elements, 10, graph.output.dtype)
    return graph, Tybox(0.1), shape


def test_every_part_by_hand(make_graph) -> None:
    budget = ThesisMemory().budget(*asked(make_graph()))
    assert budget.parts == {
        "extractor_weights": (27 * 8 + 8) + (8 * 186 + 186),
        "extractor_activations": 192 + 512,
        "head_weights": (186 * 10 + 10) * 4,
        "head_activations": 10 * 4,
    }
    assert (budget.limit_bytes, budget.sample_bytes) == (830_000, 187)
    assert budget.most_samples == (830_000 - sum(budget.parts.values())) // 187
    assert budget.key == "memory.budget_bytes"


def test_a_float_extractor_takes_four_times_as_much(make_graph) -> None:
    budget = ThesisMemory().budget(*asked(make_graph(features=1_280, dtype="float32")))
    assert budget.sample_bytes == 5_124  # as the thesis's unquantized baseline
    assert budget.parts["extractor_weights"] == 4 * (27 * 8 + 8 + 8 * 1_280 + 1_280)
    assert budget.parts["extractor_activations"] == 4 * (8 + 1_280)
    assert budget.parts["head_weights"] == 4 * (1_280 * 10 + 10)


def test_the_thesis_buffer_of_158_samples(make_graph) -> None:
    """186 features: 187 B a sample; about 29 kB, as Ω_801kB leaves of 830 kB, hold 158."""
    graph = make_graph()
    fixed = sum(ThesisMemory().budget(*asked(graph)).parts.values())
    for left, samples in ((29_546, 158), (29_732, 158), (29_545, 157), (29_733, 159)):
        budget = ThesisMemory(budget_bytes=fixed + left).budget(*asked(graph))
        assert budget.most_samples == samples


def test_the_largest_pair_may_begin_with_the_image(make_graph) -> None:
    graph = make_graph(features=10)
    assert activation_pair(graph) == 192 + 512
    wide = replace(graph, tensors=(Tensor("image", (1, 800), "int8"), *graph.tensors[1:]))
    assert activation_pair(wide) == 800 + 512


def test_tables_and_axes_are_no_parameters(make_graph) -> None:
    assert parameters(make_graph(features=10)) == 27 * 8 + 8 + 8 * 10 + 10


def test_shared_weights_count_once(make_graph) -> None:
    graph = make_graph(features=10)
    assert parameters(replace(graph, ops=(*graph.ops, graph.ops[0]))) == parameters(graph)


@given(limit=st.integers(1, 60_000), features=st.integers(1, 400))
def test_the_budget_allows_the_largest_buffer_that_fits(make_graph, limit, features) -> None:
    budget = ThesisMemory(budget_bytes=limit).budget(*asked(make_graph(features)))
    left = limit - sum(budget.parts.values()) - budget.most_samples * budget.sample_bytes
    assert left < budget.sample_bytes
    assert (left >= 0) or (budget.most_samples == 0)


@pytest.mark.parametrize("settings", [{"budget_bytes": 0}, {"max_buffer_samples": 0}])
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, int]) -> None:
    (key,) = settings
    with pytest.raises(ValueError, match=rf"memory\.{key}: must be"):
        ThesisMemory(**settings)


def test_a_limit_of_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"memory\.max_buffer_samples: must be at least 1"):
        McuMemory(max_buffer_samples=0)


@pytest.mark.parametrize("learner", [Rls(), OnlineLda(), Lda(), Ncm()])
def test_what_a_learner_starts_from_counts_once(make_graph, learner) -> None:
    """As the head does: what it learns, and what it reads beside it; not the first values in flash as well."""
    graph, tybox, shape = asked(make_graph())
    features, classes = shape.features, shape.classes
    triangle, constants = features * (features + 1) // 2, features + 1  # mean and unit
    floats = {
        "ncm": classes + constants,
        "lda": classes + triangle + constants,
        "online_lda": classes + 1 + classes * features + triangle + constants + 1,
        "rls": classes + triangle + features + 1 + constants + 1,
    }
    expected = 4 * floats[name_of(learner)]
    plain = ThesisMemory().budget(graph, tybox, shape).parts
    assert ThesisMemory().budget(graph, learner, shape).parts == {**plain, "learner": expected}
