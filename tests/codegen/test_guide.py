"""The guide to adding an operator shows what is in the tree: an operator that the kernels' tests hold."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import pytest

from codegen import ops
from codegen.frontend.schema import KINDS, OPTIONS
from tools.graphs.cases import CASES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-an-operator.md").read_text(encoding="utf-8")


def block(path: str) -> str:
    """The code block that starts with the name of a file, without that line."""
    found = re.search(
        rf"^ *```\w+\n *(?:#|//) {re.escape(path)}\n(.*?)^ *```", GUIDE, re.MULTILINE | re.DOTALL
    )
    assert found, f"the guide has no block for {path}"
    return textwrap.dedent(found[1])


@pytest.mark.parametrize(
    "path", ["codegen/ops/reduce_max.py", "codegen/runtime/kernels/reduce_max.hpp"]
)
def test_the_guide_shows_the_files(path: str) -> None:
    assert block(path) == (ROOT / path).read_text(encoding="utf-8")


def test_the_guide_shows_the_random_case_and_the_rows() -> None:
    assert block("tools/graphs/moving.py") == inspect.getsource(CASES["largest"])
    assert "REDUCE_MAX" in KINDS.values()
    for row in ('"REDUCE_MAX": _REDUCER', '"REDUCE_MAX": reduce_max.OPERATOR'):
        assert row in GUIDE
        files = (ROOT / "codegen" / name for name in ("frontend/schema.py", "ops/__init__.py"))
        assert any(row in path.read_text(encoding="utf-8") for path in files)
    assert OPTIONS["REDUCE_MAX"] == OPTIONS["MEAN"]
    assert "REDUCE_MAX" in ops.OPERATORS


def test_the_guide_names_files_that_exist() -> None:
    paths = set(re.findall(r"`((?:codegen|tests|tools|docs)/[\w./]+\.(?:py|md))`", GUIDE))
    assert len(paths) >= 6
    assert [path for path in paths if not (ROOT / path).exists()] == []
