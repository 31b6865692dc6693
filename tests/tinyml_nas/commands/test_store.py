from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tinyml_nas.commands.store import run
from tinyml_nas.store.entries import Key, Store
from tinyml_nas.store.inspect import entries


def filled(folder: Path) -> Path:
    """A store with three entries: two of ``search``, one of ``prune``."""
    store = Store(folder / "store")
    for stage, n in (("search", 1), ("search", 2), ("prune", 1)):

        def build(files: Path, work: Path, n: int = n) -> dict[str, int]:
            (files / "out.txt").write_text("x" * 1000 * n)
            return {"n": n}

        store.get(Key(stage, {"n": n}, "code", {"python": "3.11"}), build)
    return store.root


def said(capsys, root: Path, *arguments: str) -> str:
    run(["--store", str(root), *arguments])
    return capsys.readouterr().out


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as left:
        run(arguments)
    assert left.value.code == 2
    return capsys.readouterr().err


def test_ls_counts_stages_and_lists_the_entries_of_one(tmp_path, capsys):
    root = filled(tmp_path)
    counts = [line.split()[:2] for line in said(capsys, root, "ls").splitlines()]
    assert counts == [["prune", "1"], ["search", "2"], ["all", "3"]]
    listed = said(capsys, root, "ls", "search").splitlines()
    assert len(listed) == 2
    assert all(line.startswith("search/") for line in listed)
    run(["ls", "search", "--store", str(root)])
    assert capsys.readouterr().out.splitlines() == listed


def test_show_prints_what_an_entry_depends_on(tmp_path, capsys):
    root = filled(tmp_path)
    short = said(capsys, root, "ls", "prune").split()[0]
    path, _, text = said(capsys, root, "show", short).partition("\n")
    assert Path(path).is_dir()
    assert json.loads(text)["key"]["given"] == {"n": 1}
    assert "2 entries start like this" in refused(capsys, "--store", str(root), "show", "search/")
    assert "no entry starts" in refused(capsys, "--store", str(root), "show", "nothing")


def test_verify_names_every_damaged_entry(tmp_path, capsys):
    root = filled(tmp_path)
    assert "3 of 3 entries are what was written" in said(capsys, root, "verify")
    first, second, _ = entries(root)
    (first.path / "files" / "out.txt").write_text("y")
    (second.path / "entry.json").write_text("{")
    with pytest.raises(SystemExit) as left:
        said(capsys, root, "verify")
    assert left.value.code == 1
    out = capsys.readouterr().out
    assert first.digest in out
    assert second.digest in out
    assert "1 of 3 entries are what was written" in out


def test_prune_takes_what_is_old_and_nothing_else(tmp_path, capsys):
    root = filled(tmp_path)
    first, *others = entries(root)
    old = time.time() - 3 * 86400
    os.utime(first.path / "entry.json", (old, old))
    assert "would remove 1 entries" in said(capsys, root, "prune", "--older-than", "2", "--dry-run")
    assert len(entries(root)) == 3
    assert "removed 1 entries" in said(capsys, root, "prune", "--older-than", "2")
    assert entries(root) == others
    assert not list(root.glob("*/.*"))


def test_prune_keeps_what_runs_need_and_what_is_being_built(tmp_path, capsys):
    root = filled(tmp_path)
    first, second, third = entries(root)
    run_folder = tmp_path / "outputs" / "a"
    run_folder.mkdir(parents=True)
    result = {"provenance": {"stages": [{"stage": "x", "key": second.digest}]}}
    (run_folder / "result.json").write_text(json.dumps(result))
    with FileLock(third.path.with_name(third.digest + ".lock")):
        said(capsys, root, "prune", "--unused-by", str(tmp_path / "outputs"))
    assert entries(root) == [second, third]
    assert first.path.parent.is_dir()
    (run_folder / "result.json").write_text("{")
    told = refused(capsys, "--store", str(root), "prune", "--unused-by", str(run_folder))
    assert "result.json: cannot be read" in told
    assert entries(root) == [second, third]


def test_prune_takes_what_killed_runs_left(tmp_path, capsys):
    root = filled(tmp_path)
    for name in ("abc.partial", ".abc.1.part"):
        (root / "search" / name).mkdir()
    assert "removed 2 folders" in said(capsys, root, "prune", "--leftovers")
    assert len(entries(root)) == 3
    assert not (root / "search" / "abc.partial").exists()


def test_what_names_nothing_is_refused(tmp_path, capsys):
    assert "say what may go" in refused(capsys, "--store", str(filled(tmp_path)), "prune")
    assert "there is no folder" in refused(capsys, "--store", str(tmp_path / "no"), "ls")
