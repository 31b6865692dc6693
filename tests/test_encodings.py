"""Files are UTF-8, whatever the locale of the machine says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def by_locale(tree: ast.AST) -> list[int]:
    """Lines that read or write text by the locale's encoding."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        names = {word.arg for word in node.keywords}
        position = {"read_text": 0, "write_text": 1}.get(node.func.attr)
        text = position is not None and len(node.args) <= position
        piped = bool({"text", "universal_newlines"} & names)
        if (text or piped) and "encoding" not in names:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("package", ["codegen", "scenarios", "tinyml_nas"])
def test_no_text_is_read_or_written_by_the_locale(package):
    for path in sorted((ROOT / package).rglob("*.py")):
        assert by_locale(ast.parse(path.read_text(encoding="utf-8"))) == [], path


@pytest.mark.parametrize(
    "source", ["p.read_text()", "p.write_text(x)", "subprocess.run(c, text=True)"]
)
def test_the_search_finds_what_it_looks_for(source):
    assert by_locale(ast.parse(source)) == [1]


def test_a_configuration_with_greek_letters_is_read_and_printed_under_an_ascii_locale(tmp_path):
    option = tmp_path / "pruning" / "mine.yaml"
    option.parent.mkdir()
    option.write_text(
        "# Υ stays as it is; größer geht nicht\ndefaults:\n  - none\n  - _self_\n", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "run.py", "--config-dir", tmp_path, "pruning=mine", "--cfg", "job"],
        cwd=ROOT,
        env={**os.environ, **ASCII},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"tinyml_nas.pruning.none.NoPruning" in done.stdout
