"""Write docs/operators.md: what the compiler takes, from what its operators say of themselves.

python -m tools.list_operators
"""

from __future__ import annotations

import json
from pathlib import Path

from codegen import durable, ops
from codegen.frontend.heads import PROBABILITIES
from codegen.memory.code_size import FILE
from codegen.passes.legalize import REWRITTEN

TARGET = Path(__file__).parents[1] / "docs" / "operators.md"
HEAD = """\
# What the compiler takes

Made by `python -m tools.list_operators` from the operators themselves; `tests/tools/test_list_operators.py` holds it.

A `.tflite` file of one input with a batch of one (or an open one), and fixed height, width or length in time; activations in
int8, in float32, or int8 between floats; bytes (uint8) at both ends. Weights have one scale, or one for each channel. Every
operator gives the bytes of TensorFlow Lite Micro in int8, and its values to rounding in float32; GELU, which that has not,
gives LiteRT's. A message that refuses a model names all that is not supported in it, and what to do.

| operator | int8 | float32 | refused |
|---|---|---|---|
"""
REST = """
These are others in disguise, and become them before anything is checked:

| operator | becomes |
|---|---|
"""
END = """
Behind the last layer %s are dropped: the device predicts from what goes into them.
What keeps state between inputs (LSTM, SVDF, variables) is not compiled.
"""


def text() -> str:
    """The page."""
    kinds = json.loads(FILE.read_text(encoding="utf-8"))["operators"]
    rows = []
    for kind in sorted(ops.OPERATORS.keys() - ops.MADE_HERE):
        operator = ops.OPERATORS[kind]
        marks = ["yes" if kind in kinds[dtype] else "" for dtype in ("int8", "float32")]
        never = _first(type(operator).check.__doc__).removeprefix("Refuse ")
        rows.append(f"| {kind} | {' | '.join(marks)} | {never} |")
    dropped = ", ".join(PROBABILITIES[:-1]) + f" and {PROBABILITIES[-1]}"
    disguised = [f"| {kind} | {becomes} |" for kind, becomes in REWRITTEN.items()]
    return "\n".join([HEAD + "\n".join(rows), REST + "\n".join(disguised), END % dropped])


def _first(docstring: str | None) -> str:
    """The first paragraph, on one line, without its full stop."""
    paragraph = (docstring or "").strip().split("\n\n")[0]
    return " ".join(paragraph.split()).removesuffix(".").replace("``", "`")


if __name__ == "__main__":
    durable.write(TARGET, text())
