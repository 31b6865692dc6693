"""The stage of the search, on a toy problem: what it keeps, and what it says of failures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.stages import STAGES
from tests.tinyml_nas.search.conftest import Toy
from tinyml_nas.pipeline import metrics
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.stages.search import search
from tinyml_nas.search.base import SearchError
from tinyml_nas.store.entries import Store


@pytest.fixture
def toy(monkeypatch) -> Toy:
    toy = Toy()
    monkeypatch.setattr("tinyml_nas.supernet.files.load_supernet", lambda *_: None)
    monkeypatch.setattr("tinyml_nas.supernet.problem.SupernetProblem", lambda *_: toy)
    return toy


@pytest.fixture
def context(tmp_path) -> Context:
    return Context(Store(tmp_path / "store"))


def searched(context: Context) -> metrics.Metrics:
    strategy = replace(STAGES[search]["strategy"], doe=12, iterations=2, images=300)
    counts = metrics.search(context.run(search, **{**STAGES[search], "strategy": strategy}))
    assert counts["inherited_accuracy"]["n"] == 300  # of the split's 1,000
    return {name: counts[name] for name in ("evaluations", "failed", "failures")}


def kept(context: Context) -> list[Path]:
    return list(context.store.root.glob("search/*/files/search.json"))


def test_a_search_of_failures_alone_is_not_kept_and_goes_on_when_asked_again(toy, context):
    def fail(genes):
        raise OSError(f"no space left for {len(genes)} genes")

    toy.before_evaluation = fail
    with pytest.raises(SearchError, match="all 12 evaluations failed, the first with: OSError: no"):
        searched(context)
    assert not kept(context)

    toy.before_evaluation = lambda _: None
    counts = searched(context)
    assert counts == {"evaluations": len(toy.evaluated), "failed": 0, "failures": {}}
    assert len(toy.evaluated) >= 12
    assert kept(context)


def test_what_could_not_be_evaluated_stands_in_the_result_with_its_reasons(toy, context):
    def fail(genes):
        if genes[0] == 1:
            raise RuntimeError(f"no kernel for {genes[1]}")

    toy.before_evaluation = fail
    counts = searched(context)
    assert counts["failed"] == sum(counts["failures"].values()) > 0
    assert counts["evaluations"] == len(toy.evaluated)
    assert set(counts["failures"]) <= {f"RuntimeError: no kernel for {n}" for n in range(3)}
    (file,) = kept(context)
    assert json.loads(file.read_text())["failures"] == counts["failures"]

    toy.before_evaluation = lambda _: pytest.fail("was evaluated although it stands in the store")
    assert searched(context) == counts
