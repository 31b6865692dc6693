"""How many instructions a classification and a learning step take, estimated, and the stack that they need.

``work.json`` holds what ``tools/measure_work.py`` found on emulated cores: for every kernel the
instructions of a multiply-add, of an element that is written, of one that is read, of a call, of an output's
pixel and of its channel, which fit the counted ones best; for learners, on each core, the instructions of a multiply-add of theirs
in a step over 96 features and ten classes; and how deep kernels and program go into the stack, by a walk over their compiled code.
The file's ``error`` tells how far the sum was from the exact count, on networks that the fit has not seen. That of a learning step is
not in it: with 192 features a Cortex-M4 takes 1 to 15 % fewer a multiply-add (docs/results.md).

Instructions are not cycles: a Cortex-M4 takes 1.2 to 1.4 for one, and waits for its flash.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from codegen.boards.board import Board
from codegen.buffers.base import Shape
from codegen.ir import Graph, Op
from codegen.learners.base import FLOAT_BYTES, Learner
from codegen.memory.code_size import kernel_of
from codegen.ops import chain, pooled
from codegen.ops.multiply_adds import multiply_adds

FILE = Path(__file__).with_suffix(".json")
DATA = ("work.json",)
ANY = "any"
"""The key of what is taken for a kernel that was not measured."""
HEAD = "Tybox"
"""The learner whose multiply-adds are those of the head."""
LOGITS = 3
"""Arrays of a number for each class that are on the stack at once, beyond those that were measured."""
INTERRUPTS_BYTES = 2 * 128
"""Of two that nest: the registers that the core saves, those of the FPU too, and what a handler takes."""
Features = tuple[int, int, int, int, int, int]


SLOW_S = 1.0
"""A learning step that takes longer is told of, with what to set."""


@dataclass(frozen=True)
class Work:
    """Instructions of one image's class, and of one learning step from its features; the core's rate.

    ``stack_bytes`` is the deepest that the firmware's stack goes, at most.
    """

    classify: int
    learn: int
    hz: int
    stack_bytes: int

    def milliseconds(self, instructions: int) -> int:
        """At one cycle an instruction, rounded up."""
        return -(-instructions * 1000 // self.hz)


def work_of(graph: Graph, learner: Learner, shape: Shape, board: Board) -> Work:
    """Of ``graph`` as it is emitted, with a full buffer."""
    costs = measured()["learners"][board.core]
    head = costs[HEAD] * shape.features * shape.classes
    step = costs.get(learner.code()[0], costs[HEAD]) * learner.multiply_adds(shape)
    return Work(
        classify=round(extraction(graph, board.core) + head),
        learn=round(step),
        hz=board.running_hz,
        stack_bytes=_stack_bytes(graph, shape, board),
    )


def quicker(learner: Learner, shape: Shape, board: Board) -> Mapping[str, int]:
    """What to set of a learner whose step takes more than ``SLOW_S`` so that it does not; empty where it takes less."""
    costs = measured()["learners"][board.core]
    most = int(SLOW_S * board.running_hz / costs.get(learner.code()[0], costs[HEAD]))
    return {} if learner.multiply_adds(shape) <= most else learner.within(shape, most)


def extraction(graph: Graph, core: str) -> float:
    """Instructions from an image to its features."""
    kernels = measured()["cores"][core]["kernels"]
    total = 0.0
    for op in _called(graph):
        key = kernel_of(core, graph, op)
        if key:
            costs = kernels.get(key, kernels[ANY])["costs"]
            total += sum(c * n for c, n in zip(costs, features_of(graph, op), strict=True))
    return total


def _called(graph: Graph) -> Iterator[Op]:
    """The operators, and of those that are made of several these."""
    for op in graph.ops:
        made_of = {chain.KIND: chain.stages_of, pooled.KIND: pooled.stages_of}.get(op.kind)
        yield from made_of(op) if made_of else (op,)


def _stack_bytes(graph: Graph, shape: Shape, board: Board) -> int:
    """An upper bound, without interrupts of the user's: those of timer and flash are in it."""
    found = measured()["cores"][board.core]
    kernels = found["kernels"]
    keys = {kernel_of(board.core, graph, op) for op in graph.ops} - {""}
    deepest = max((kernels.get(key, kernels[ANY])["stack"] for key in keys), default=0)
    extract: int = found["stack"]["extract"] + deepest
    learn: int = found["stack"]["other"] + LOGITS * FLOAT_BYTES * shape.classes
    learn += board.storage.stack_bytes
    return max(extract, learn) + shape.feature_bytes + INTERRUPTS_BYTES


def features_of(graph: Graph, op: Op) -> Features:
    """What the instructions of an operator are counted by."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    channels = output.shape[-1] if output.shape else 1
    pixels = output.elements // channels
    return multiply_adds(graph, op), output.elements, source.elements, 1, pixels, channels


def work_error(core: str) -> Mapping[str, float]:
    """How the estimate was to the exact count, at ``least`` and at ``most``, on networks held back."""
    found: Mapping[str, float] = measured()["cores"][core]["error"]
    return found


@cache
def measured() -> Mapping[str, Any]:
    """The file's content."""
    content: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content
