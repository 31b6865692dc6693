"""Every kernel, by the random models that call it, and how many bytes of flash it and a call of it take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from codegen import literals, ops
from codegen.emit.emitter import ROOT
from codegen.ir import Graph, ModelError
from codegen.memory.code_size import kernel_key
from codegen.ops import chain, inverted_residual, pooled
from codegen.passes.legalize import legalize
from codegen.passes.simplify import simplify
from codegen.plan import arrange
from tools.code_size.programs import run, sections, symbols
from tools.graphs.cases import CASES
from tools.graphs.networks import random_network

MODELS = 60  # random ones of each case: enough for every kernel of every operator
FEW_CALLS, MANY_CALLS = 4, 20
WITHOUT_KERNEL = ("JOIN",)
"""What copies nothing: the planner makes it."""


@dataclass(frozen=True)
class Kernel:
    """A function of ``runtime/kernels/`` for some dtypes: pointers are C++ types, output last."""

    function: str
    header: str
    params: str
    pointers: tuple[str, ...]


def kernels() -> tuple[dict[str, Kernel], dict[str, dict[str, str]]]:
    """Every kernel by its key; and for each dtype and kind of operator the key of the usual one.

    The usual kernel is the fast one where there are two.
    """
    found: dict[str, Kernel] = {}
    usual: dict[str, dict[str, str]] = {"float32": {}, "int8": {}}
    for graph in _graphs():
        for op in graph.ops:
            dtype = graph.tensors[op.inputs[0]].dtype
            operator = ops.OPERATORS[op.kind]
            call = operator.lower(graph, op)
            if call is None:
                usual[dtype][op.kind] = ""
                continue
            key = kernel_key(call.kernel, dtype)
            output = graph.tensors[call.output]
            pointers = [f"const {literals.ctype(graph.tensors[i].dtype)}*" for i in call.inputs]
            pointers += [f"{literals.ctype(output.dtype)}*"]
            pointers += pointers[-1:] if operator.scratch_bytes(graph, op) else []
            kernel = Kernel(call.kernel, call.header, call.params, tuple(pointers))
            two = found.setdefault(key, kernel)
            if len(pointers) == 3 and len(two.pointers) != 3:  # CONCATENATION: of two
                found[key] = kernel
            usual[dtype][op.kind] = min(usual[dtype].get(op.kind, key), key, key=len)
    # No case has weights out of bounds for the fast convolution, and no float network is fused.
    found["conv_2d_any int8"] = replace(found["conv_2d int8"], function="conv_2d_any")
    block = found["inverted_residual int8"]
    floats = tuple(pointer.replace("std::int8_t", "float") for pointer in block.pointers)
    reals = replace(block, params="InvertedResidualFloat", pointers=floats)
    usual["float32"][inverted_residual.KIND] = "inverted_residual float32"
    found["inverted_residual float32"] = reals
    for kind in (chain.KIND, pooled.KIND):  # the planner makes them where they are asked for
        name = kind.lower()
        for function, dtype, kernel in (
            (name, "int8", block),
            (f"{name}_any", "int8", block),
            (name, "float32", reals),
        ):
            params = f"{kind.title()}{'Int8' if dtype == 'int8' else 'Float'}"
            key = kernel_key(function, dtype)
            found[key] = replace(kernel, function=function, header=f"{name}.hpp", params=params)
            usual[dtype].setdefault(kind, key)
    for kind in ops.OPERATORS:  # what the simplifier makes a table of
        if kind not in usual["int8"] and kind not in WITHOUT_KERNEL:
            usual["int8"][kind] = usual["int8"]["LOOKUP"]
    return found, usual


def _graphs() -> Iterator[Graph]:
    """Simplified graphs that together have every operator and every kernel."""
    for dtype in ("int8", "float32"):
        for case in CASES.values():
            for seed in range(MODELS):
                try:
                    yield simplify(legalize(case(np.random.default_rng(seed), dtype)))
                except (ModelError, KeyError):  # a case for the other dtype
                    break
    for seed in range(MODELS):
        yield arrange(simplify(random_network(seed)))[0]


def measure_kernels(
    found: Mapping[str, Kernel],
    flags: Sequence[str],
    folder: Path,
    keys: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Of each kernel, or those of ``keys``: its pointers, bytes of parameters and of sections."""
    entries = dict(enumerate(found.items()))
    headers = sorted({kernel.header for kernel in found.values()})
    lines = [f'#include "runtime/kernels/{header}"' for header in headers]
    lines += ["using namespace tinyml;"]
    for number, (_, kernel) in entries.items():
        arguments = ", ".join(f"{p} p{i}" for i, p in enumerate(kernel.pointers))
        passed = ", ".join(f"p{i}" for i in range(len(kernel.pointers)))
        lines += [
            f'extern "C" const char size_{number}[sizeof({kernel.params})] = {{1}};',
            f'extern "C" void entry_{number}(const {kernel.params}& op, {arguments}) {{',
            f"  {kernel.function}(op, {passed});",
            "}",
        ]
    (folder / "kernels.cpp").write_text("\n".join(lines))
    target = folder / "kernels.o"
    include = f"-I{ROOT}"
    run(["arm-none-eabi-g++", *flags, include, "-c", folder / "kernels.cpp", "-o", target])
    sizes = symbols(target)
    measured = {}
    for number, (key, kernel) in entries.items():
        if keys is not None and key not in keys:
            continue
        mapped = folder / "kernel.map"
        options = ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections"]
        options += [f"-Wl,-e,entry_{number}", f"-Wl,-Map={mapped}"]
        run(["arm-none-eabi-g++", *flags, *options, target, "-o", folder / "kernel.elf"])
        needed = {k: v for k, v in sections(mapped).items() if not k.startswith("entry_")}
        measured[key] = {
            "params": sizes[f"size_{number}"],
            "pointers": len(kernel.pointers),
            "sections": needed,
        }
    return measured


def call_bytes(flags: Sequence[str], folder: Path) -> dict[str, int]:
    """Instructions and addresses of a call in ``extract``, by its number of pointers."""
    lines = ["struct P { int v; };", "static signed char arena[1 << 16];"]
    lines += [
        "void two(const P&, const signed char*, signed char*);",
        "void three(const P&, const signed char*, const signed char*, signed char*);",
    ]
    for name, extra in (("two", ""), ("three", ", arena + {c}")):
        for count in (FEW_CALLS, MANY_CALLS):
            params = [f"constexpr P {name}{count}_{i}{{{i}}};" for i in range(count)]
            calls = [
                f"{name}({name}{count}_{i}, arena + {i * 1234 % 5000}"
                + extra.format(c=i * 777 % 9000)
                + f", arena + {i * 3456 % 7000});"
                for i in range(count)
            ]
            lines += [*params, f'extern "C" void {name}_{count}() {{', *calls, "}"]
    (folder / "calls.cpp").write_text("\n".join(lines))
    target = folder / "calls.o"
    run(["arm-none-eabi-g++", *flags, "-c", folder / "calls.cpp", "-o", target])
    size = symbols(target)
    return {
        pointers: (size[f"{name}_{MANY_CALLS}"] - size[f"{name}_{FEW_CALLS}"])
        // (MANY_CALLS - FEW_CALLS)
        for pointers, name in (("2", "two"), ("3", "three"))
    }
