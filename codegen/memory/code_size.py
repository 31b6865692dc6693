"""How many bytes of flash the firmware's code takes, from what was measured of its parts.

``code_size.json`` holds, for each core, bytes as ``tools/measure_code_size.py`` found them in linked
programs; rerun it when kernels, learner, application or compiler change. Code is the sum of

- the runtime (start-up, application, learner) with an extractor that does nothing, a head of
  ``RUNTIME_CLASSES`` classes on int8 features and no drivers,
- what the board's drivers of serial port and flash add, and the steps that set up its clocks,
- what another number of classes or another dtype of features changes in the learner,
- what another learner takes than TyBox with a first-in-first-out buffer, and another buffer than that,
- every section that the graph's kernels need, once: kernels share helpers and libraries,
- for each call its parameters and instructions.

Where data or scales are absent the fast kernels are assumed. Trained networks call these, but for
branches that became constant: they need the general kernel as well, 1 to 3 kB that the search does
not see and the design of Ω does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from codegen import ops
from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.ir import Graph, Op
from codegen.learners.base import Learner
from codegen.ops import chain

FILE = Path(__file__).with_suffix(".json")
DATA = ("code_size.json",)
RUNTIME_CLASSES = 10
STEP_BYTES = 12  # of a clock's (platform/clocks.cpp)
SLOT_HEADER_BYTES = 32  # before the state in a slot of storage (runtime/storage/slots.hpp)


def code_bytes(graph: Graph, learner: Learner, shape: Shape, board: Board) -> int:
    """Flash that code takes on ``board``: the runtime, the kernels of ``graph`` and all calls.

    Raises:
        LookupError: an operator was never measured.
    """
    runtime = _runtime_bytes(measured()["cores"][board.core], learner, shape, board)
    return runtime + kernel_bytes(graph, board)


def kernel_bytes(graph: Graph, board: Board) -> int:
    """Flash that the kernels of ``graph`` and all calls take on ``board``.

    Raises:
        LookupError: an operator was never measured.
    """
    core = measured()["cores"][board.core]
    sections = dict(core["libraries"])
    calls = 0
    for op in graph.ops:
        key = _kernel(core["kernels"], graph, op)
        if not key:
            continue
        kernel = core["kernels"][key]
        sections |= kernel["sections"]
        calls += kernel["params"] + core["call"][str(kernel["pointers"])]
        if op.kind == chain.KIND:
            stages = chain.stages_of(op)
            keys = [_kernel(core["kernels"], graph, stage) for stage in stages]
            calls += sum(core["kernels"][k]["params"] + chain.STAGE_BYTES for k in keys)
    kernels: int = sum(sections.values()) - sum(core["libraries"].values())
    return kernels + calls


def kernel_key(function: str, dtype: str) -> str:
    """What a kernel on inputs of ``dtype`` is called in the file."""
    return f"{function} {dtype}"


def kernel_of(core: str, graph: Graph, op: Op) -> str:
    """What the operator's kernel is called in the file; empty where it has none."""
    return _kernel(measured()["cores"][core]["kernels"], graph, op)


@cache
def measured() -> Mapping[str, Any]:
    """The file's content."""
    content: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def _can_be_lowered(graph: Graph, op: Op) -> bool:
    """Whether the operator's constants have data, and its int8 activations scales."""
    tensors = [graph.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0]
    return all(
        t.data is not None if t.constant else t.dtype != "int8" or t.quantization is not None
        for t in tensors
    )


def _kernel(kernels: Mapping[str, Any], graph: Graph, op: Op) -> str:
    """The key of the operator's kernel; empty where it has none."""
    dtype = graph.tensors[op.inputs[0]].dtype
    known = ops.OPERATORS.get(op.kind)
    if known is not None and known.places(graph, op):
        return ""  # the output is its inputs
    operators = measured()["operators"][dtype]
    if op.kind not in operators:
        raise LookupError(
            f"{FILE.name}: there is no size of {op.kind} on {dtype}; give it a case in "
            "tools/graphs/cases.py and run python -m tools.measure_code_size"
        )
    usual: str = operators[op.kind]
    if _can_be_lowered(graph, op) and usual.replace(" ", "_any ") in kernels:
        call = ops.OPERATORS[op.kind].lower(graph, op)
        return usual if call is None else kernel_key(call.kernel, dtype)
    return usual


def _runtime_bytes(core: Mapping[str, Any], learner: Learner, shape: Shape, board: Board) -> int:
    drivers, total = core["drivers"], core["runtime"]
    total += drivers.get(board.serial.source, 0)
    if SLOT_HEADER_BYTES + learner.state_bytes(shape) <= board.storage_bytes // 2:
        total += drivers.get(board.storage.driver, 0)
    if board.clock.steps:
        total += core["clock"] + STEP_BYTES * len(board.clock.steps)
    if board.boot_bytes:
        total -= core["vectors"]
    for part in learner.code():
        if part not in core["learners"]:
            raise LookupError(
                f"{FILE.name}: there is no size of {part}; run python -m tools.measure_code_size --learners"
            )
        total += core["learners"][part]
    by_classes = core["learner"][shape.dtype]
    return int(total + by_classes[_nearest(by_classes, shape.classes)])


def _nearest(by_classes: Mapping[str, int], classes: int) -> str:
    """The measured number of classes that is compiled most alike: the same rest of fours."""
    if str(classes) in by_classes:
        return str(classes)
    alike = [int(n) for n in by_classes if int(n) % 4 == classes % 4 and int(n) <= classes]
    return str(max(alike))
