import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.damage import damages
from tinyml_nas.search.archive import FILE_NAME, Archive, Evaluation
from tinyml_nas.types import Footprint

IDENTITY = {"seed": 7, "strategy": "S(doe=2)"}
FOOTPRINT = Footprint(1, 2, 3, 4, 5, 6)
BATCH = [(0, 1), (2, 0), (1, 1)]


def evaluation(genes):
    return Evaluation(genes, 0.1 * sum(genes), FOOTPRINT)


def must_not_run(*_):
    pytest.fail("was called although the file holds the answer")


def fill(folder, batches=(BATCH,)):
    archive = Archive(folder, IDENTITY)
    for iteration, batch in enumerate(batches):
        list(archive.run(iteration, lambda batch=batch: batch, evaluation))
    return archive


def test_evaluates_in_order(tmp_path):
    archive = fill(tmp_path, [BATCH, [(9, 9)]])
    assert [e.genes for e in archive.evaluations] == [*BATCH, (9, 9)]


def test_a_finished_batch_is_read_back_exactly(tmp_path):
    written = fill(tmp_path).evaluations
    again = Archive(tmp_path, IDENTITY)
    assert again.evaluations == ()
    assert tuple(again.run(0, must_not_run, must_not_run)) == written
    assert again.evaluations == written


def failing(genes):
    return Evaluation(genes, None, None, "RuntimeError: out of memory")


def test_what_failed_is_evaluated_again_by_a_search_that_goes_on(tmp_path):
    only_last_fails = Archive(tmp_path, IDENTITY).run(
        0, lambda: BATCH, lambda genes: (failing if genes == BATCH[-1] else evaluation)(genes)
    )
    assert [e.failure is None for e in only_last_fails] == [True, True, False]
    asked = []

    def evaluate(genes):
        asked.append(genes)
        return evaluation(genes)

    again = Archive(tmp_path, IDENTITY).run(0, must_not_run, evaluate)
    assert list(again) == [evaluation(genes) for genes in BATCH]
    assert asked == BATCH[-1:]
    assert list(Archive(tmp_path, IDENTITY).run(0, must_not_run, must_not_run))


def test_a_second_try_takes_the_place_of_the_first(tmp_path):
    archive = Archive(tmp_path, IDENTITY)
    list(archive.run(0, lambda: BATCH, lambda g: (failing if g[0] < 2 else evaluation)(g)))
    archive.retry(lambda genes: (failing if genes[0] < 1 else evaluation)(genes))
    assert archive.evaluations == (failing(BATCH[0]), *map(evaluation, BATCH[1:]))


def test_every_cut_of_the_file_goes_on_to_the_same_end(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)
    fill(tmp_path / "whole")
    whole = (tmp_path / "whole" / FILE_NAME).read_bytes()
    for cut in range(len(whole)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / FILE_NAME).write_bytes(whole[:cut])
        fill(folder)
        assert (folder / FILE_NAME).read_bytes() == whole


def test_a_batch_that_was_cut_short_is_completed_not_proposed_anew(tmp_path):
    archive = Archive(tmp_path, IDENTITY)
    running = archive.run(0, lambda: BATCH, evaluation)
    next(running)
    evaluated = []

    def evaluate(genes):
        evaluated.append(genes)
        return evaluation(genes)

    list(Archive(tmp_path, IDENTITY).run(0, must_not_run, evaluate))
    assert evaluated == BATCH[1:]


def test_another_search_is_refused_and_its_file_kept(tmp_path):
    fill(tmp_path)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(ValueError, match=r"evaluations\.jsonl: belongs to another search.*seed.*8"):
        Archive(tmp_path, {**IDENTITY, "seed": 8})
    assert (tmp_path / FILE_NAME).read_bytes() == before


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_costs_what_comes_after_it_and_nothing_else(tmp_path, monkeypatch, caplog, data):
    """Whatever the damage, the search goes on from the last whole line to the very same end."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    path = tmp_path / FILE_NAME
    path.unlink(missing_ok=True)
    batches = [BATCH, [(9, 9), (8, 1)]]
    written = fill(tmp_path, batches).evaluations
    whole = path.read_bytes()
    damaged = data.draw(damages(whole))
    path.write_bytes(damaged)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert fill(tmp_path, batches).evaluations == written
    assert path.read_bytes() == whole
    pairs = enumerate(zip(whole, damaged, strict=False))
    common = next((i for i, (one, other) in pairs if one != other), None)
    if common is not None and b"\n" in damaged[common:]:
        number = whole[:common].count(b"\n") + 1
        assert f"{path}: damaged from line {number} on" in caplog.text


def test_every_line_is_synced_before_the_next_step(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append((tmp_path / FILE_NAME).read_bytes()))
    archive = Archive(tmp_path, IDENTITY)

    def evaluate(genes):
        assert synced[-1] == (tmp_path / FILE_NAME).read_bytes()
        return evaluation(genes)

    list(archive.run(0, lambda: BATCH, evaluate))
    assert len(synced) == 2 + len(BATCH)
