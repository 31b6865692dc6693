"""The guide to adding an operator: its own blocks of code make an operator that is exact."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from codegen import ops
from codegen.frontend.read import KINDS, read
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import random_inputs, to_flatbuffer
from tools.graphs import cases

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-an-operator.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
MODELS, INPUTS = 12, 4


def block(path: str) -> str:
    """The code block that starts with the name of a file, without that line."""
    found = re.search(
        rf"^ *```\w+\n *(?:#|//) {re.escape(path)}\n(.*?)^ *```", GUIDE, re.MULTILINE | re.DOTALL
    )
    assert found, f"the guide has no block for {path}"
    return textwrap.dedent(found[1])


@pytest.fixture
def maximum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ops.Operator]:
    """Steps 2 to 5 of the guide, on top of this package; the random case of step 5."""
    module = types.ModuleType("maximum")
    exec(block("codegen/ops/maximum.py"), module.__dict__)
    header = tmp_path / "runtime" / "kernels" / "maximum.hpp"
    header.parent.mkdir(parents=True)
    header.write_text(block("codegen/runtime/kernels/maximum.hpp"))
    assert '55: "MAXIMUM"' in GUIDE
    for table, row in (
        ("KINDS", {55: "MAXIMUM"}),
        ("OPERATORS", {"MAXIMUM": module.OPERATOR}),
    ):
        add_row(table, row, monkeypatch)
    case: dict[str, object] = {}
    exec(block("tools/graphs/cases.py"), cases.__dict__, case)
    return case["maximum"]


def add_row(table: str, row: dict[object, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """To a table, in every module that has imported it."""
    for name, module in list(sys.modules.items()):
        known = (
            vars(module).get(table)
            if name.startswith(("codegen", "tests.support", "tools.graphs"))
            else None
        )
        if isinstance(known, MappingProxyType):
            monkeypatch.setattr(module, table, MappingProxyType({**known, **row}))


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_the_documented_operator_is_exact(
    maximum: Callable[..., object], dtype: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    models = [to_flatbuffer(maximum(rng, dtype)) for _ in range(MODELS)]
    graphs = [read(model) for model in models]
    extractors = compile_extractors(graphs, tmp_path)
    for model, graph, extract in zip(models, graphs, extractors, strict=True):
        inputs = random_inputs(graph, INPUTS, rng)
        np.testing.assert_array_equal(extract(inputs), oracle(model, inputs))


def test_the_documented_operator_passes_the_linters(tmp_path: Path) -> None:
    (tmp_path / "maximum.py").write_text(block("codegen/ops/maximum.py"))
    (tmp_path / "maximum.hpp").write_text(block("codegen/runtime/kernels/maximum.hpp"))
    style = ROOT / "codegen" / "templates" / ".clang-format"
    for command in (
        [BIN / "ruff", "check", "--config", ROOT / "pyproject.toml", "maximum.py"],
        [BIN / "ruff", "format", "--check", "--config", ROOT / "pyproject.toml", "maximum.py"],
        [BIN / "clang-format", f"--style=file:{style}", "--dry-run", "--Werror", "maximum.hpp"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_names_files_that_exist() -> None:
    paths = set(re.findall(r"`((?:codegen|tests|docs)/[\w./]+\.(?:py|md))`", GUIDE))
    assert len(paths) >= 6
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert 55 not in KINDS, "MAXIMUM is supported now: the guide needs another example"
