"""A run leaves its results beside what is the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codegen.emit.folder import MANIFEST, FolderError, regenerate
from tinyml_nas.pipeline.delivery import check_project, deliver_files, deliver_project
from tinyml_nas.types import Artifact

ROOT = Path(__file__).parents[3]


def project(folder: Path, **files: str) -> Artifact:
    """A generated project, as the store holds it."""

    def write(root: Path) -> None:
        for name, text in files.items():
            (root / f"{name}.cpp").write_text(text)

    regenerate(folder, write)
    return Artifact(folder, folder.name)


def test_a_rerun_keeps_what_the_user_added_and_names_what_he_edited(tmp_path):
    first = project(tmp_path / "first", model="1", head="1")
    second = project(tmp_path / "second", model="2")
    place = tmp_path / "run" / "project"
    deliver_project(first, place, overwrite=False)
    (place / "port.cpp").write_text("mine")
    deliver_project(second, place, overwrite=False)
    assert sorted(path.name for path in place.iterdir()) == [MANIFEST, "model.cpp", "port.cpp"]
    assert (place / MANIFEST).read_bytes() == (second.path / MANIFEST).read_bytes()
    (place / "model.cpp").write_text("edited")
    message = r"model\.cpp \(edited\).*or overwrite \(project\.overwrite=true\)"
    for refused in (check_project, lambda *a, **k: deliver_project(first, *a, **k)):
        with pytest.raises(FolderError, match=message):
            refused(place, overwrite=False)
    assert (place / "model.cpp").read_text() == "edited"
    deliver_project(first, place, overwrite=True)
    assert (place / "model.cpp").read_text() == "1"
    assert (place / "port.cpp").read_text() == "mine"


def test_files_take_the_place_of_older_ones_and_leave_others(tmp_path):
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "spec.json").write_text("new")
    place = tmp_path / "run" / "network"
    place.mkdir(parents=True)
    (place / "spec.json").write_text("old")
    (place / "notes").write_text("mine")
    deliver_files(Artifact(tmp_path / "stored", ""), place)
    assert {p.name: p.read_text() for p in place.iterdir()} == {"spec.json": "new", "notes": "mine"}


def test_an_edited_project_is_refused_before_any_work(tmp_path):
    project(tmp_path / "run" / "project", model="1")
    (tmp_path / "run" / "project" / "model.cpp").write_text("edited")
    folders = [f"hydra.run.dir={tmp_path / 'run'}", f"store={tmp_path / 'store'}"]
    done = subprocess.run(
        [sys.executable, "run.py", *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "model.cpp (edited)" in done.stderr
    assert done.stderr.endswith("(project.overwrite=true)\n")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "store").exists()
