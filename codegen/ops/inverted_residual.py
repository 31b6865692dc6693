"""INVERTED_RESIDUAL: the compiler's own operator, made from three where that saves memory.

A 1x1 CONV_2D that expands, a DEPTHWISE_CONV_2D and a 1x1 CONV_2D that projects, run row by row: of
the expansion only the rows under the depthwise window exist at a time. Inputs are the image, then
weights, bias and table of each stage (-1 where absent). Options are those of the stages under
``expand.``, ``depthwise.`` and ``project.``; ``<stage>.output`` is the tensor that the stage made
when it stood alone, whose shape and scale it keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from codegen.ir import DTYPE_BYTES, Graph, ModelError, Op
from codegen.ops import conv_2d, depthwise_conv_2d
from codegen.ops.base import Array, Call, Operator, Value, output_of
from codegen.ops.dilated import is_dilated
from codegen.ops.sweep import Sweep
from codegen.ops.window import Window

KIND = "INVERTED_RESIDUAL"
STAGES = ("expand", "depthwise", "project")
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D")
CONSTANTS = 3  # weights, bias and table of a stage
_OPERATORS = (conv_2d.OPERATOR, depthwise_conv_2d.OPERATOR, conv_2d.OPERATOR)


def fused(ops: Sequence[Op]) -> Op:
    """One operator of three that follow each other."""
    inputs = [ops[0].inputs[0]]
    options: dict[str, int | float | str | bool] = {}
    for name, op in zip(STAGES, ops, strict=True):
        constants = op.inputs[1:]
        inputs += [*constants, *[-1] * (CONSTANTS - len(constants))]
        options |= {f"{name}.{key}": value for key, value in op.options.items()}
        options[f"{name}.output"] = op.outputs[0]
    return Op(KIND, tuple(inputs), ops[-1].outputs, MappingProxyType(options))


def stages_of(op: Op) -> tuple[Op, ...]:
    """The three operators that ``op`` was made from."""
    stages = []
    source = op.inputs[0]
    for number, (name, kind) in enumerate(zip(STAGES, KINDS, strict=True)):
        constants = list(op.inputs[1 + CONSTANTS * number : 1 + CONSTANTS * (number + 1)])
        while constants[-1] < 0:
            constants.pop()
        prefix = f"{name}."
        options = {
            key.removeprefix(prefix): value
            for key, value in op.options.items()
            if key.startswith(prefix)
        }
        target = int(options.pop("output"))
        stages.append(Op(kind, (source, *constants), (target,), MappingProxyType(options)))
        source = target
    return tuple(stages)


class InvertedResidual(Operator):
    """Three kernels, called by rows; nothing is computed twice."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse what the stages refuse, and stages that cannot run by rows."""
        expand, depthwise, project = stages_of(op)
        for stage, operator in zip((expand, depthwise, project), _OPERATORS, strict=True):
            operator.check(graph, stage)
        if any(is_dilated(stage) for stage in (expand, depthwise, project)):
            raise ModelError("no stage may be dilated")
        for stage in (expand, project):
            if not is_pointwise(conv_2d.sliding_window(graph, stage)):
                raise ModelError("expansion and projection must be 1x1 at stride 1")
        if not has_rows(depthwise_conv_2d.sliding_window(graph, depthwise)):
            raise ModelError("every window of the depthwise stage must hold a row of the image")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``inverted_residual``, which calls the stages' kernels."""
        expand, depthwise, project = stages_of(op)
        calls = [
            conv_2d.OPERATOR.lower(graph, expand),
            depthwise_conv_2d.OPERATOR.call(graph, depthwise, window_of(graph, op), by_rows=True),
            conv_2d.OPERATOR.lower(graph, project),
        ]
        fields = {
            name: labelled(name, call.fields) for name, call in zip(STAGES, calls, strict=True)
        }
        params = "Float" if output_of(graph, op).dtype == "float32" else "Int8"
        general = any(call.kernel.endswith("_any") for call in calls)
        return Call(
            "inverted_residual_any" if general else "inverted_residual",
            "inverted_residual.hpp",
            f"InvertedResidual{params}",
            fields,
            op.inputs[:1],
            op.outputs[0],
        )

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """Rows of the image are expanded once, just before the first window that needs them."""
        window = window_of(graph, op)
        slide = window.sweep(output_of(graph, op).dtype)
        rows, expanded = [], 0
        for first, stop in slide.rows:
            rows.append((max(first, expanded), max(stop, expanded)))
            expanded = max(stop, expanded)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        return Sweep(
            tuple(rows),
            source.size_bytes // source.shape[1],
            output.size_bytes // output.shape[1],
            reads_first=True,
        )

    def scratch_bytes(self, graph: Graph, op: Op) -> int:
        """The rows of the expansion under one window, and one filtered row."""
        window = window_of(graph, op)
        _, width, channels = window.input
        rows = window.kernel_h * width * channels + window.output[1] * window.output[2]
        return rows * DTYPE_BYTES[output_of(graph, op).dtype]

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Those of the stages."""
        stages = zip(stages_of(op), _OPERATORS, strict=True)
        return sum(operator.constant_bytes(graph, stage) for stage, operator in stages)


def is_pointwise(window: Window) -> bool:
    """Whether each output pixel is made of the input pixel at its place."""
    kernel = window.kernel_h, window.kernel_w, window.stride_h, window.stride_w
    return (
        kernel == (1, 1, 1, 1)
        and (window.pad_top, window.pad_left) == (0, 0)
        and window.input[:2] == window.output[:2]
    )


def has_rows(window: Window) -> bool:
    """Whether every window holds at least one row of the image."""
    return all(first < stop for first, stop in window.sweep("int8").rows)


def window_of(graph: Graph, op: Op) -> Window:
    """That of the depthwise stage."""
    return depthwise_conv_2d.sliding_window(graph, stages_of(op)[1])


def labelled(stage: str, value: Value) -> Value:
    """Arrays under the stage's name: they are named after the operator."""
    if isinstance(value, Array):
        return Array(f"{stage}_{value.label}", value.values)
    if isinstance(value, Mapping):
        return {key: labelled(stage, member) for key, member in value.items()}
    return value


OPERATOR = InvertedResidual()
