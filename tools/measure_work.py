"""Count what kernels and learners execute on emulated cores, and write ``codegen/memory/work.json``.

    python -m tools.measure_work                       # all cores: some minutes
    python -m tools.measure_work --core cortex-m4      # one; the others stay as they are
    python -m tools.measure_work --learners            # only learners; --kernels: only kernels

Run it after a change of kernels, learners or compiler, and commit the file. For each core one program
calls every kernel in the layers of random networks, some of which are held back: QEMU counts the
instructions of each call, and a fit of non-negative costs finds what they are made of. ``codegen/memory/work.py``
tells how the figures are used.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from benchmarks import counting, emulated, learning, networks
from benchmarks.boards import board_of
from benchmarks.counting import symbols
from codegen import durable, literals
from codegen.boards.board import CORES, load
from codegen.emit.emitter import EmittedArray, EmittedCall, arena_dtype, emit, lower
from codegen.ir import Graph, ModelError
from codegen.memory.code_size import RUNTIME_CLASSES, kernel_of
from codegen.memory.work import ANY, FILE, Features, features_of
from codegen.passes.legalize import legalize
from codegen.passes.simplify import simplify
from codegen.plan import Plan, arrange
from tools.code_size.firmware import every_learner, identity, unmeasured
from tools.code_size.stack import depth, functions
from tools.graphs.cases import CASES
from tools.graphs.networks import Network

LARGEST = (16, 24, 32, 48)
"""Of sides and channels of the random networks."""
BLOCKS = 10
FITTED, HELD_BACK = range(40), range(100, 112)
CASE_SEEDS = 2
MOST_CONSTANT_BYTES, MOST_ARENA_BYTES = 24_000, 60_000
FEATURES = 96
START = "Reset_Handler"
DEEPER = 1 << 20
"""Than any other path of the program."""
FRAME_BYTES = 64
"""Of ``extract`` itself: it saves the registers that it needs, and passes a fifth argument."""


WITHOUT_COSTS = {
    "chain int8": ("chain", "ChainInt8", "std::int8_t"),
    "chain_any int8": ("chain_any", "ChainInt8", "std::int8_t"),
    "chain float32": ("chain", "ChainFloat", "float"),
    "pooled int8": ("pooled", "PooledInt8", "std::int8_t"),
    "pooled_any int8": ("pooled_any", "PooledInt8", "std::int8_t"),
    "pooled float32": ("pooled", "PooledFloat", "float"),
}
"""Kernels that take what those take which they call, by key: function, parameters, elements. Their stack is their own."""


@dataclass(frozen=True)
class Sample:
    """A call: its kernel, what it is counted by, and the network (below 0: a case of one operator)."""

    key: str
    features: Features
    network: int
    symbol: str


def graphs() -> Iterator[tuple[int, Graph, Plan]]:
    """Networks by number, as they are emitted."""
    for seed in (*FITTED, *HELD_BACK):
        rng = np.random.default_rng(seed)

        def pick(low: int, high: int, rng: np.random.Generator = rng) -> int:
            return int(rng.integers(low, high + 1))

        graph = Network(pick, rng, LARGEST[seed % len(LARGEST)]).build(BLOCKS)
        ready, plan = arrange(simplify(graph))
        constants = sum(tensor.size_bytes for tensor in ready.tensors if tensor.constant)
        if constants <= MOST_CONSTANT_BYTES and plan.arena_bytes <= MOST_ARENA_BYTES:
            yield seed, ready, plan
    for dtype in ("int8", "float32"):
        for case in CASES.values():
            for seed in range(CASE_SEEDS):
                try:
                    graph = case(np.random.default_rng(seed), dtype)
                    yield -1, *arrange(simplify(legalize(graph)))
                except (ModelError, KeyError):  # a case for the other dtype
                    break


def write_program(core: str, path: Path) -> list[Sample]:
    """A test program that calls every kernel once, each in a function of its own."""
    samples: list[Sample] = []
    headers: dict[str, None] = {}
    body: list[str] = []
    for number, graph, plan in graphs():
        arrays, calls = lower(graph, plan)
        if not calls:
            continue
        space = f"g{len(samples)}"
        body += _network(space, arena_dtype(graph), arrays, calls, len(samples))
        for call in calls:
            headers[call.header] = None
            op = graph.ops[int(call.params_name[3:])]
            symbol = f"call_{len(samples)}"
            samples.append(
                Sample(kernel_of(core, graph, op), features_of(graph, op), number, symbol)
            )
    lines = ["#include <cstdint>", "#include <cstring>"]
    lines += [
        f'#include "runtime/kernels/{header}"'
        for header in sorted({*headers, "chain.hpp", "pooled.hpp"})
    ]
    lines += [
        f"alignas(16) std::int8_t storage[{MOST_ARENA_BYTES}];",
        "volatile bool never = false;",
    ]
    lines += body
    lines += [
        *(f'extern "C" void {sample.symbol}();' for sample in samples),
        *_uncounted(),
        "int main() {",
    ]
    lines += [f"  {sample.symbol}();" for sample in samples]
    lines += [
        f"  if (never) uncounted_{number}(storage);" for number, _ in enumerate(WITHOUT_COSTS)
    ]
    path.write_text("\n".join([*lines, "  return 0;", "}", ""]))
    return samples


def _uncounted() -> list[str]:
    """Functions that would call the kernels ``WITHOUT_COSTS``."""
    lines = []
    for number, (function, params, element) in enumerate(WITHOUT_COSTS.values()):
        lines += [
            f'extern "C" [[gnu::noinline, gnu::noclone]] void uncounted_{number}(void* at) {{',
            f"  auto* p = static_cast<{element}*>(at);",
            f"  tinyml::{function}(*static_cast<const tinyml::{params}*>(at), p, p, p);",
            "}",
        ]
    return lines


def _network(
    space: str, element: str, arrays: list[EmittedArray], calls: list[EmittedCall], first: int
) -> list[str]:
    unit = literals.ctype(element)
    lines = [f"namespace tinyml {{ namespace {space} {{"]
    lines += [f"{unit}* const arena = reinterpret_cast<{unit}*>(storage);"]
    for array in arrays:
        values = array.values
        kind = literals.ctype(values.dtype)
        lines += [f"alignas(4) const {kind} {array.name}[] = {{{literals.elements(values)}}};"]
    for number, call in enumerate(calls, first):
        passed = ", ".join((call.params_name, *call.arguments))
        lines += [
            *(f"constexpr {p.params} {p.declarator}{p.initialiser};" for p in call.parts),
            f"constexpr {call.params} {call.params_name}{call.initialiser};",
            f'extern "C" [[gnu::noinline, gnu::noclone]] void call_{number}() {{ {call.kernel}({passed}); }}',
        ]
    return [*lines, "}}"]


def measure(core: str, folder: Path) -> dict[str, Any]:
    """All figures of one core."""
    board = board_of(core)
    tree = folder / "project"
    project = identity(board, RUNTIME_CLASSES, "int8")
    with unmeasured():
        emit(project, tree)
    samples = write_program(core, tree / "test" / "self_test.cpp")
    program = emulated.build(project, folder, "self_test", emulated=True)
    named = {symbol.name.partition("(")[0]: symbol for symbol in symbols.symbols(program)}
    marks = {named[s.symbol].address & ~1: number for number, s in enumerate(samples)}
    counts = counting.count(program, board.emulator, folder, networks.CACHE, marks)
    counted = np.array([counts.parts[number] for number in range(len(samples))], np.float64)
    code = functions(program)
    deep = [depth(code, sample.symbol) for sample in samples]
    found = fit(samples, counted, deep) | {"stack": _stack(core)}
    for number, key in enumerate(WITHOUT_COSTS):
        found["kernels"][key] = {"stack": depth(code, f"uncounted_{number}")}
    return found


def _stack(core: str) -> dict[str, int]:
    """Of the firmware around the kernels: to a kernel's call, and everywhere else.

    The most of all learners, each with its alarm, on a board that saves, by flash words of 32 bytes.
    """
    board = replace(load("nucleo_h743zi"), core=core, emulator="")
    last_of_class = {learner.code()[0]: learner for learner in every_learner()}
    found = []
    for learner in last_of_class.values():
        with unmeasured(), tempfile.TemporaryDirectory() as name:
            project = identity(board, RUNTIME_CLASSES, "int8", learner)
            code = functions(emulated.build(project, Path(name), "firmware", emulated=False))
        (extract,) = (name for name in code if "7extractEPKaPa" in name and "Model" not in name)
        before = depth(code, START, {extract: DEEPER}) - DEEPER
        found.append((before, depth(code, START, {extract: 0})))
    deepest, other = (max(ends) for ends in zip(*found, strict=True))
    return {"extract": deepest + FRAME_BYTES, "other": other}


def fit(samples: list[Sample], counted: Any, deep: list[int]) -> dict[str, Any]:
    """What each kernel costs; and the error of whole networks that were held back."""
    by_kernel: dict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        if sample.network < HELD_BACK.start:
            by_kernel[sample.key].append(number)
    everything = [number for numbers in by_kernel.values() for number in numbers]
    by_kernel[ANY] = everything
    kernels: dict[str, Any] = {}
    for key, numbers in by_kernel.items():
        scale = np.sqrt(np.maximum(counted[numbers], 1))  # large calls count more, as in a sum
        rows = np.array([samples[n].features for n in numbers], np.float64) / scale[:, None]
        costs, _ = nnls(rows, counted[numbers] / scale)
        stack = max(deep[n] for n, s in enumerate(samples) if key in (s.key, ANY))
        kernels[key] = {"costs": [round(float(c), 3) for c in costs], "stack": stack}
    ratios = []
    for network in HELD_BACK:
        own = [n for n, sample in enumerate(samples) if sample.network == network]
        guessed = sum(
            float(np.dot(kernels.get(samples[n].key, kernels[ANY])["costs"], samples[n].features))
            for n in own
        )
        if own:
            ratios.append(guessed / float(counted[own].sum()))
    return {"kernels": kernels, "error": {"least": min(ratios), "most": max(ratios)}}


def learners(core: str) -> dict[str, float]:
    """Instructions of a multiply-add of each learner, by the name of its class."""
    return {
        learner.code()[0]: round(learning.step(learner, core, FEATURES).ratio, 2)
        for learner in learning.CASES.values()
    }


def text_of(content: Mapping[str, Any]) -> str:
    """JSON that has an object which holds no other in one line."""
    text = json.dumps(content, indent=1, sort_keys=True)
    return re.sub(r"\{[^{}]*\}", lambda found: " ".join(found[0].split()), text) + "\n"


def main() -> None:
    """Measure the cores that the command line names."""
    parser = argparse.ArgumentParser(description="Count the instructions of kernels and learners.")
    parser.add_argument("--core", action="append", choices=CORES, help="repeatable; default: all")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--kernels", action="store_true", help="measure these alone")
    parts.add_argument("--learners", action="store_true", help="measure these alone")
    arguments = parser.parse_args()
    content = json.loads(FILE.read_text()) if FILE.exists() else {"cores": {}, "learners": {}}
    for core in arguments.core or CORES:
        if not arguments.learners:
            with tempfile.TemporaryDirectory() as name:
                content["cores"][core] = measure(core, Path(name))
            least, most = (content["cores"][core]["error"][end] for end in ("least", "most"))
            print(f"{core}: {least:.2f} to {most:.2f} of what was counted", flush=True)
        if not arguments.kernels:
            with unmeasured():
                content["learners"][core] = learners(core)
            print(f"{core}: {content['learners'][core]}", flush=True)
        durable.write(FILE, text_of(content))


if __name__ == "__main__":
    main()
