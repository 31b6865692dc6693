"""``python -m codegen --inference-only``: a library of a network that computes and does not learn."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from codegen import durable, golden, oracle, report
from codegen.boards import board
from codegen.emit.network import context_of, emit_network
from codegen.frontend.cut import Whole, without_head
from codegen.frontend.read import naming, open_model
from codegen.ir import read_outside
from codegen.project import Golden, Network
from codegen.toolchain import network as host

Figures = dict[str, Any]


def generate(options: argparse.Namespace) -> tuple[bool, bool]:
    """Plan, print, and write what the command line asks for: whether it fits, and whether it was written."""
    taken = _taken(options)
    graph = taken.graph
    empty = np.zeros((0, graph.output.elements), graph.output.dtype)
    inputs = golden.generated_images(graph.input)
    if options.golden:
        inputs = golden.load_images(options.golden, graph.input)
    name = options.name or options.model.stem
    network = Network(
        name, graph, board.load(options.device, options.ram_first), Golden(inputs, empty)
    )
    context = context_of(network)
    missing = context["memory"].shortfall(network.board)
    _say(report.network_text(options.model.name, taken, context))
    for memory, count in missing.items():
        sys.stderr.write(f"does not fit: {memory}: {count:,} bytes too many\n")
    written = not options.dry_run and (options.force or not missing)
    if written:
        vectors = _vectors(options, network, taken)
        emit_network(replace(network, golden=vectors), options.out, overwrite=options.overwrite)
        _say(
            f"written    {options.out}\n"
            f"golden     {len(inputs)} inputs, outputs from {vectors.origin}\n"
            f"next       cd {options.out} && cmake -B build && cmake --build build && "
            "ctest --test-dir build"
        )
    if options.report:
        figures = report.network_figures(options.model.name, taken, context)
        content = json.dumps(figures | {"written": written}, indent=2)
        durable.write(options.report, content + "\n")
    return not missing, written


def _taken(options: argparse.Namespace) -> Whole:
    graph = open_model(options.model, options.cut or options.output or "")
    with naming(options.model):
        taken = without_head(graph)
    return replace(taken, graph=read_outside(taken.graph)) if options.input_outside else taken


def _vectors(options: argparse.Namespace, network: Network, taken: Whole) -> Golden:
    """Golden vectors from the network's own code, compared with the oracle's where that is asked for."""
    inputs = network.golden.inputs
    found = host_outputs(network)
    if not options.verify:
        return Golden(inputs, found, origin="this project's own code, run on a computer")
    oracle.verify(options.model, taken.source, inputs, network.graph.input, found)
    return Golden(inputs, found, origin=oracle.origin(options.golden))


def host_outputs(network: Network) -> golden.Array:
    """Outputs (N, ...) of the golden inputs, flat, from the generated C++ on this computer.

    Raises:
        ToolchainError: there is no C++ compiler, or it refused the project.
    """
    inputs, output = network.golden.inputs, network.graph.output
    one = np.zeros((1, output.elements), output.dtype)
    with tempfile.TemporaryDirectory(prefix="tinyml-") as scratch:
        draft = Path(scratch) / "project"
        emit_network(replace(network, golden=Golden(inputs[:1], one)), draft)
        return host.run(draft, inputs, output.elements, output.dtype)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
