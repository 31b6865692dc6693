"""Every model of a folder through the compiler, and against TensorFlow Lite Micro: what is taken, and what is not.

    python -m tools.guides.export FOLDER             # networks as Keras's guides make and export them
    python -m benchmarks.accepted FOLDER             # builds each for this computer, compares 20 inputs
    python -m benchmarks.accepted FOLDER --core cortex-m4 --only '*.int8.tflite'    # and counts instructions

A model that ends with classes is split before its last layer, any other one is taken whole. Status 1
if a feature differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import emulated
from benchmarks.boards import BOARDS
from codegen import golden, oracle
from codegen.boards.board import load
from codegen.frontend.cut import split, without_head
from codegen.frontend.read import open_model
from codegen.inference import host_outputs
from codegen.ir import Graph, ModelError
from codegen.passes.prepare import prepare
from codegen.project import Golden, Network

INPUTS = 20
BOARD = load("nucleo_h743zi")


@dataclass(frozen=True)
class Row:
    """One model: what became of it, in words, and its figures; ``wrong`` if its bytes differ."""

    name: str
    kind: str
    arena_bytes: int = 0
    instructions: int = 0
    seconds: float = 0.0
    outcome: str = ""
    wrong: bool = False


def try_model(path: Path, core: str, tools: Path) -> Row:
    """Compile, build, run and compare one file."""
    began = time.perf_counter()
    try:
        kind, graph, source = taken(path)
        arena = prepare(graph)[1].arena_bytes
        images = golden.generated_images(graph.input, INPUTS)
        found = _run(graph, images)
    except ModelError as error:
        return Row(path.stem, "refused", outcome=str(error).removeprefix(f"{path}: "))
    try:
        expected = oracle.features(path.read_bytes(), source, images, graph.input)
        outcome = oracle.compare(found, expected)
    except oracle.OracleError as error:
        return Row(path.stem, kind, arena, 0, time.perf_counter() - began, str(error))
    instructions = 0
    if core:
        instructions = emulated.measure(graph, core, images[0], tools).instructions
    seconds = time.perf_counter() - began
    return Row(path.stem, kind, arena, instructions, seconds, outcome or "equal", bool(outcome))


def taken(path: Path) -> tuple[str, Graph, int]:
    """How the file is taken, its graph, and the file's tensor that this computes.

    Where a head reads an average, which the file does not hold, the whole network is compared.
    """
    model = open_model(path)
    try:
        parts = split(model)
    except ModelError:
        kind, source = "whole", -1
    else:
        kind, source = f"{parts.head_kind} head", parts.source
    if source >= 0:
        return kind, parts.extractor, source
    whole = without_head(model)
    return kind, whole.graph, whole.source


def _run(graph: Graph, images: golden.Array) -> golden.Array:
    """Rows of features of the generated code, built for this computer."""
    none = np.zeros((0, graph.output.elements), graph.output.dtype)
    return host_outputs(Network("accepted", graph, BOARD, Golden(images, none)))


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| model | taken as | arena, bytes | instructions | s | features of TFLM's |",
        "|---|---|---:|---:|---:|---|",
    ]
    for row in rows:
        instructions = f"{row.instructions:,}" if row.instructions else ""
        lines.append(
            f"| {row.name} | {row.kind} | {row.arena_bytes:,} | {instructions} | {row.seconds:.0f} | "
            f"{row.outcome} |"
        )
    taken = sum(row.kind != "refused" for row in rows)
    equal = sum(row.outcome == "equal" for row in rows)
    lines.append(f"\n{taken} of {len(rows)} are taken, {equal} give TFLM's features.")
    return "\n".join(lines)


def main() -> None:
    """Try every model; exit code 1 if features differ."""
    parser = argparse.ArgumentParser(description="Give every model of a folder to the compiler.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="*.tflite", help="a pattern of names; default: all")
    parser.add_argument("--core", choices=sorted(BOARDS), default="", help="count instructions")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as tools:
        for path in sorted(arguments.folder.glob(arguments.only)):
            rows.append(try_model(path, arguments.core, Path(tools)))
            sys.stderr.write(f"{rows[-1].name}: {rows[-1].kind}, {rows[-1].outcome}\n")
    sys.stdout.write(table(rows) + "\n")
    sys.exit(any(row.wrong for row in rows))


if __name__ == "__main__":
    main()
