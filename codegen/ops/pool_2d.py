"""AVERAGE_POOL_2D and MAX_POOL_2D. Cells outside the image do not count."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.arithmetic.fixed_point import activation_range, scale_of, zero_point_of
from codegen.ir import Graph, Op
from codegen.ops.base import (
    Call,
    Operator,
    activation_of,
    float_range,
    output_of,
    require,
    require_activations,
    require_inputs,
)
from codegen.ops.sweep import Sweep
from codegen.ops.window import Window, window_of

FEWEST_CHANNELS, MOST_CELLS = 4, 256  # what the fast kernels take: their sums have 16 bits


@dataclass(frozen=True)
class Pool2D(Operator):
    """Pooling by ``kernel``, the name of the C++ function."""

    kernel: str

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse pooling that also rescales: the kernels work on codes."""
        require_inputs(op, 1, 1)
        require_activations(graph, op)
        source, output = graph.tensors[op.inputs[0]], output_of(graph, op)
        activation_of(op)
        window = _window(graph, op)
        require(window.input[2] == window.output[2], output, "must keep the channels")
        if source.dtype == "int8":
            same = zero_point_of(source) == zero_point_of(output)
            close = abs(float(scale_of(source)) - float(scale_of(output))) <= 1e-6
            require(same and close, output, "must have the input's scale and zero point")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call the pooling kernel."""
        output, window = output_of(graph, op), _window(graph, op)
        bounds: tuple[float, float]
        if output.dtype == "float32":
            params, bounds, kernel = "PoolFloat", float_range(activation_of(op)), self.kernel
        else:
            params, bounds = "PoolInt8", activation_range(activation_of(op), output)
            cells = window.kernel_h * window.kernel_w
            fits = window.input[2] >= FEWEST_CHANNELS and cells <= MOST_CELLS
            kernel = self.kernel if fits else f"{self.kernel}_any"
        fields = {"window": window.value, "low": bounds[0], "high": bounds[1]}
        return Call(kernel, "pool_2d.hpp", params, fields, op.inputs[:1], op.outputs[0])

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep:
        """Row by row."""
        return _window(graph, op).sweep(output_of(graph, op).dtype)


def _window(graph: Graph, op: Op) -> Window:
    kernel = int(op.options["filter_h"]), int(op.options["filter_w"])
    return window_of(op, graph.tensors[op.inputs[0]], output_of(graph, op), kernel)


AVERAGE = Pool2D("average_pool_2d")
MAX = Pool2D("max_pool_2d")
