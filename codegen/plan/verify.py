"""An independent check of a plan: follow the bytes through a run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codegen.ir import DTYPE_BYTES, Graph, Op
from codegen.ops import OPERATORS
from codegen.plan.types import ALIGNMENT_BYTES, Plan, PlanError

NOTHING, SCRATCH = -1, -2
Steps = npt.NDArray[np.int64]


def verify(graph: Graph, plan: Plan) -> None:
    """Every operator must find its inputs intact, until it has read them for the last time.

    Independent of how the plan was made: it marks each byte of the arena with the value that was
    last written there, and where an operator writes over its own input it compares, byte by byte,
    when the kernel reads and when it writes. An operator that only renames its input's bytes
    passes the value on.

    Raises:
        PlanError: names the operator and tensor that another tensor overwrote.
    """
    _Run(graph, plan).check()


class _Run:
    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.graph, self.plan = graph, plan
        self.owner = np.full(plan.arena_bytes, NOTHING, np.int64)
        # Of each tensor that was made: who wrote its bytes.
        self.value = {index: self.written(index) for index in graph.given}

    def check(self) -> None:
        graph = self.graph
        if sorted(self.plan.order) != list(range(len(graph.ops))):
            raise PlanError(f"order {self.plan.order} does not run every operator once")
        for index in graph.given:
            self.owner[self.span(index)] = index
        for number in self.plan.order:
            self.run(number, graph.ops[number])
        for index in graph.outputs:
            self.expect(index, "the caller")

    def run(self, number: int, op: Op) -> None:
        label = f"operator {number} ({op.kind})"
        sources = [i for i in op.inputs if i >= 0 and self.graph.tensors[i].in_arena]
        for index in sources:
            self.expect(index, label)
        (output,) = op.outputs
        if places := OPERATORS[op.kind].places(self.graph, op):
            self.join(sources, output, places, label)
            return
        self.use_scratch(number, op, label)
        for position, source in enumerate(op.inputs):
            if source in sources:
                self.expect(source, f"{label}, beside its scratch,")
                self.spare(op, position, label)
        self.value[output] = self.written(output)
        target = self.owner[self.span(output)]
        if (target == SCRATCH).any():
            raise PlanError(f"{label} writes {self.graph.tensors[output].name!r} over its scratch")
        target[:] = output
        self.owner[self.owner == SCRATCH] = NOTHING

    def written(self, index: int) -> Steps:
        return np.broadcast_to(np.int64(index), self.graph.tensors[index].size_bytes)

    def join(self, sources: list[int], output: int, places: tuple[int, ...], label: str) -> None:
        """Nothing is moved: the sources have to be in their places, and to fill the output."""
        start = self.span(output).start
        found = [self.span(index).start - start for index in sources]
        if found != list(places):
            raise PlanError(f"{label}: its inputs are at {found} in its output, not at {places}")
        parts = [self.value[index] for index in sources]
        self.value[output] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.expect(output, label)

    def span(self, index: int) -> slice:
        tensor = self.graph.tensors[index]
        return self.place(self.plan.offsets[index], tensor.size_bytes, f"tensor {tensor.name!r}")

    def place(self, offset: int | None, size: int, what: str) -> slice:
        if offset is None or offset < 0 or offset + size > self.plan.arena_bytes:
            raise PlanError(f"{what} of {size} bytes at {offset} leaves the arena")
        if offset % ALIGNMENT_BYTES:
            raise PlanError(f"{what} at {offset} is not aligned to {ALIGNMENT_BYTES}")
        return slice(offset, offset + size)

    def expect(self, index: int, reader: str) -> None:
        name = self.graph.tensors[index].name
        if index not in self.value:
            raise PlanError(f"{reader} reads {name!r} before it is made")
        found = self.owner[self.span(index)]
        wrong = found[found != self.value[index]]
        if wrong.size:
            culprit = int(wrong[0])
            other = {NOTHING: "nothing", SCRATCH: "scratch"}.get(culprit)
            other = other or repr(self.graph.tensors[culprit].name)
            raise PlanError(f"{reader} reads {name!r} after {other} overwrote it")

    def use_scratch(self, number: int, op: Op, label: str) -> None:
        size = OPERATORS[op.kind].scratch_bytes(self.graph, op)
        if size:
            span = self.place(self.plan.scratch[number], size, f"scratch of {label}")
            self.owner[span] = SCRATCH

    def spare(self, op: Op, position: int, label: str) -> None:
        """The output must not reach bytes of an input that the kernel has yet to read."""
        source, target = self.span(op.inputs[position]), self.span(op.outputs[0])
        start, stop = max(source.start, target.start), min(source.stop, target.stop)
        if start >= stop:
            return
        last_read, written = _traffic(self.graph, op, position)
        reads = last_read[start - source.start : stop - source.start]
        writes = written[start - target.start : stop - target.start]
        if (writes < reads).any():
            name, source_name = (
                self.graph.tensors[i].name for i in (op.outputs[0], op.inputs[position])
            )
            raise PlanError(f"{label} writes {name!r} over rows of {source_name!r} yet to be read")


def _traffic(graph: Graph, op: Op, position: int) -> tuple[Steps, Steps]:
    """When the kernel reads each byte of an input for the last time, and writes each of its output.

    In half steps, so that a step's reads can come before its writes. An operator that promises no
    order reads its whole input in the end.
    """
    operator = OPERATORS[op.kind]
    source, output = graph.tensors[op.inputs[position]], graph.tensors[op.outputs[0]]
    last_read = np.full(source.size_bytes, -1, np.int64)
    if position in operator.in_place(graph, op) and source.size_bytes == output.size_bytes:
        elements = np.arange(source.size_bytes) // DTYPE_BYTES[source.dtype]
        return 2 * elements, 2 * elements + 1
    sweep = operator.sweep(graph, op, position)
    if sweep is None:
        return last_read + output.size_bytes + 1, np.zeros(output.size_bytes, np.int64)
    for y, (first, stop) in enumerate(sweep.rows):
        last_read[first * sweep.input_row_bytes : stop * sweep.input_row_bytes] = 2 * y
    written = 2 * (np.arange(output.size_bytes) // sweep.output_row_bytes)
    # A row that is not read first is written while its input rows are read.
    return last_read, written + (1 if sweep.reads_first else -1)
