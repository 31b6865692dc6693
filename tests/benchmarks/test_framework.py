"""What the benchmark of the frame counts, and the sweep that it runs."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from benchmarks import framework
from benchmarks.framework import JOBS, SWEEP, counts, overhead
from tinyml_nas import config
from tinyml_nas.network.shipped import SPEC_FILE
from tinyml_nas.pipeline import deploy
from tinyml_nas.pipeline.context import Context, key_of
from tinyml_nas.store.code import installed
from tinyml_nas.store.entries import Entry, Store

GROUPS = ("pruning", "quantizer", "scenario")


def stage(name: str, key: str, seconds: float | None) -> dict:
    return {"stage": name, "key": key, "seconds": seconds}


def test_a_stage_that_a_job_asks_for_twice_would_run_once() -> None:
    first = [stage("search", "a", 9.0), stage("drive", "b", 1.0), stage("drive", "b", None)]
    second = [stage("search", "a", None), stage("drive", "c", 0.0), stage("drive", "d", None)]
    assert counts([first, second]) == {"search": (1, 2), "drive": (2, 3)}


def test_the_store_s_cost_is_of_both_ways(monkeypatch) -> None:
    monkeypatch.setattr(framework, "ENTRIES", 5)
    assert min(overhead()) > 0


class Stopped(Exception):
    """A job has asked for as much as is looked at."""


@pytest.fixture(scope="module")
def studies():
    """Every job of the sweep: each option is composed once, as no option of these groups overrides another group."""
    config.register()
    choices = {key: values.split(",") for key, _, values in (item.partition("=") for item in SWEEP)}
    plain = [f"{key}={values[0]}" for key, values in choices.items()]
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        cfg = compose("config", [*plain, "name=test"])
        nodes = {
            (group, option): compose("config", [*plain, f"{group}={option}", "name=test"])[group]
            for group in GROUPS
            for option in choices[group]
        }
    made = []
    for chosen in product(*(choices[group] for group in GROUPS)):
        for group, option in zip(GROUPS, chosen, strict=True):
            cfg[group] = nodes[group, option]
        made.append(config.build(cfg, Path("out")))
    return made


def test_the_sweep_s_jobs_share_one_search_and_what_comes_before_their_own_choice(
    studies, tmp_path, monkeypatch
) -> None:
    """By the keys that the store would go by; no stage runs."""
    genes = [int(gene) for gene in studies[0].supernet.smallest()]
    spec = studies[0].supernet.spec(np.array(genes), studies[0].dataset.classes)
    (tmp_path / SPEC_FILE).write_text(spec.to_json())  # all that is read of a stage's files
    keys: dict[str, set[str]] = {}
    asked: dict[str, int] = {}

    def run(self, function, **given) -> Entry:
        key = key_of(function, given, installed())
        keys.setdefault(key.stage, set()).add(key.digest)
        asked[key.stage] = asked.get(key.stage, 0) + 1
        if key.stage == "quantize":
            raise Stopped
        footprint = dict.fromkeys(
            ("parameters", "macs", "activations", "flash_bytes", "sram_bytes", "omega_bytes"), 1
        )
        chosen = {
            "architecture": {"genes": genes, "resolution": 32},
            "accuracy": 0.9,
            "footprint": footprint,
        }
        value = {
            "search": {"chosen": chosen, "evaluations": 1, "failures": {}, "images": 9},
            "accuracy": {"accuracy": 0.9},
        }
        model = {"accuracy": 0.9, "size_bytes": 9, "resolution": 32, "parameters": 9, "macs": 9}
        return Entry(key, tmp_path, key.digest, value.get(key.stage, model))

    monkeypatch.setattr(Context, "run", run)
    monkeypatch.setattr(deploy.metrics, "_rivals", lambda _: [])
    monkeypatch.setattr(deploy, "deliver_files", lambda *_: None)
    assert len(studies) == JOBS
    for study in studies:
        with pytest.raises(Stopped):
            deploy.deploy(Context(Store(tmp_path)), study, {})
    distinct = {name: len(found) for name, found in keys.items()}
    assert (distinct["search"], asked["search"]) == (1, 18)
    assert (distinct["prune"], asked["prune"]) == (3, 18)
    assert (distinct["convert"], asked["convert"]) == (3, 18)
    assert (distinct["quantize"], asked["quantize"]) == (6, 18)
