"""What a small project is generated to, in tests/golden/project: a change shows in a diff.

Files that are copied as they are and arrays of numbers are left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codegen.boards.board import load
from codegen.emit.emitter import ROOT, emit
from codegen.learners.tybox import Tybox
from tests.support.mobile import mobile_project

GOLDEN = Path(__file__).parents[2] / "golden" / "project"
ABSENT = ("platform/clocks.cpp",)  # of a board whose clocks stay as reset leaves them
NUMBERS = ("src/weights.cpp", "src/head.cpp", "test/golden.hpp")


@pytest.mark.golden
def test_a_small_project_is_what_it_was(sample, tmp_path, update_golden):
    project = mobile_project(load("pico2"), sample.split("test").pixels[:1], Tybox(0.002), 7)
    emit(replace(project, class_names=tuple("abcdefghij")), tmp_path / "project")
    rendered = [
        path.relative_to(ROOT / "templates").with_suffix("").as_posix()
        for path in (ROOT / "templates").rglob("*.j2")
    ]
    own = {"LIBRARY": "TinyML_mobile", "include/tinyml": "include/tinyml/mobile"}
    for place, name in own.items():
        rendered = [path.replace(place, name) for path in rendered]
    names = set(rendered) - {*NUMBERS, *ABSENT}
    texts = {name: (tmp_path / "project" / name).read_text() for name in names}
    if update_golden:
        for path in [path for path in GOLDEN.rglob("*") if path.is_file()]:
            path.unlink()
        for name, text in texts.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_text(text)
    found = {
        path.relative_to(GOLDEN).as_posix(): path.read_text()
        for path in GOLDEN.rglob("*")
        if path.is_file()
    }
    assert found == texts, "if this is meant: make golden, and look at the diff"
