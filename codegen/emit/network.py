"""The project of a network without a head: a library that computes and does not learn.

Its own templates are in ``templates_network/``; extractor, weights, start-up code and linker scripts
are those of projects that learn.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from codegen import durable
from codegen.boards.machines import MACHINES
from codegen.emit.emitter import ROOT, environment, files_of, fill, lower
from codegen.emit.folder import regenerate
from codegen.emit.module import make_own, module_of
from codegen.ir import Graph
from codegen.memory.network import network_map
from codegen.normalisation import told_by
from codegen.passes.prepare import prepare
from codegen.plan import Plan
from codegen.project import Network

DATA = ("../templates_network",)
SHARED = (
    ".clang-format",
    ".clang-tidy",
    "cmake/arm-none-eabi.cmake",
    "cmake/library.cmake",
    "cmake/mlperf.cmake",
    "platform/board.ld.j2",
    "platform/boot_block.cpp.j2",
    "platform/emulator.ld.j2",
    "platform/clocks.cpp.j2",
    "platform/fault.cpp",
    "platform/io_semihosting.cpp",
    "platform/mlperf.cpp",
    "platform/mlperf.hpp",
    "platform/mlperf_main.cpp",
    "platform/sections.ld",
    "platform/stack.cpp",
    "platform/stack.hpp",
    "platform/startup.cpp",
    "platform/system.cpp",
    "platform/ticks.cpp",
    "platform/ticks.hpp",
    "src/extractor.cpp.j2",
    "src/extractor.hpp.j2",
    "src/weights.cpp.j2",
    "src/weights.hpp.j2",
    "test/io.hpp",
    "test/io_host.cpp",
)


def emit_network(network: Network, destination: Path, *, overwrite: bool = False) -> None:
    """Write the project to ``destination``, in place of an older one; errors as ``emitter.emit``'s."""
    context = context_of(network)
    regenerate(destination, partial(_write_tree, context=context), overwrite=overwrite)


def context_of(network: Network) -> dict[str, Any]:
    """What the templates see: as in ``codegen.emit.emitter``, without head and learner."""
    graph, layout = _prepared(network)
    arrays, calls = lower(graph, layout)
    pixels = told_by(graph.input)
    return {
        "p": network,
        "bytes": pixels is not None and pixels.kind(graph.input) == "shift",
        "module": module_of(network.name),
        "graph": graph,
        "plan": layout,
        "memory": network_map(graph, layout, network.board),
        "calls": calls,
        "arrays": arrays,
        "machine": MACHINES.get(network.board.emulator),
    }


def _prepared(network: Network) -> tuple[Graph, Plan]:
    """In chains that compute nothing twice, where the board's RAM is too small."""
    board = network.board
    ready = prepare(network.graph, board.ram_first)
    if board.ram_first or "ram" not in network_map(*ready, board).shortfall(board):
        return ready
    return prepare(network.graph, 1.0)


def _write_tree(root: Path, context: Mapping[str, Any]) -> None:
    env = environment()
    own = ROOT / "templates_network"
    env.loader = jinja2.FileSystemLoader([own, ROOT / "templates"])
    shared = {name: ROOT / "templates" / name for name in SHARED}
    fill(root, files_of(own) | shared, env, context)
    durable.copy_tree(ROOT / "runtime" / "kernels", root / "runtime" / "kernels")
    machine, serial = context["machine"], root / "runtime" / "serial"
    serial.mkdir()
    ports = [context["p"].board.serial, *([machine.serial] if machine else [])]
    for source in {"port.hpp", *(port.source for port in ports)}:
        shutil.copyfile(ROOT / "runtime" / "serial" / source, serial / source)
    make_own(root, context["module"], headers="include/tinyml")
