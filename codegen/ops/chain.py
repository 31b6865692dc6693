"""CHAIN: the compiler's own operator, made from several that follow each other where that saves memory.

Its stages are convolutions, depthwise convolutions, sums and inverted residuals that run row by row: of
what a stage makes only the rows that are still to be read exist (line buffers), and no row is made
twice. A stage that is an INVERTED_RESIDUAL keeps the rows of its input instead of those of its expansion; it expands them
anew for each row, ``columns`` of its output at a time.

Inputs are the chain's input and all constants. Options are those of the stages behind their numbers,
``2.padding``; ``2.kind``, ``2.inputs`` and ``2.output`` are the stage's kind and tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from codegen.ir import DTYPE_BYTES, Graph, ModelError, Op
from codegen.ops import add, conv_2d, depthwise_conv_2d, inverted_residual, rows
from codegen.ops.base import Call, Operator, Part, Value, output_of
from codegen.ops.broadcast import full_operands
from codegen.ops.dilated import is_dilated
from codegen.ops.sweep import Sweep
from codegen.ops.window import Window

KIND = "CHAIN"
MOST_STAGES = 64  # runtime/kernels/chain.hpp knows it
STAGE_BYTES = 48  # of one on a board
ALIGNMENT_BYTES = 16
COLUMNS = "columns"
MEMBERS = {
    "CONV_2D": "convolution",
    "DEPTHWISE_CONV_2D": "depthwise",
    "ADD": "sum",
    inverted_residual.KIND: "block",
}
"""Of ``ChainStage``, by the stage's kind."""
_OPERATORS: dict[str, Operator] = {
    "CONV_2D": conv_2d.OPERATOR,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d.OPERATOR,
    "ADD": add.OPERATOR,
    inverted_residual.KIND: inverted_residual.OPERATOR,
}


def chained(ops: Sequence[Op]) -> Op:
    """One operator of several, of which each but the last is read by later ones alone."""
    made = {op.outputs[0] for op in ops}
    taken = dict.fromkeys(i for op in ops for i in op.inputs if i >= 0 and i not in made)
    options: dict[str, int | float | str | bool] = {}
    for number, op in enumerate(ops):
        options |= {f"{number}.{key}": value for key, value in op.options.items()}
        options |= {
            f"{number}.kind": op.kind,
            f"{number}.inputs": " ".join(map(str, op.inputs)),
            f"{number}.output": op.outputs[0],
        }
    return Op(KIND, tuple(taken), ops[-1].outputs, MappingProxyType(options))


def stages_of(op: Op) -> tuple[Op, ...]:
    """The operators that ``op`` was made from."""
    found: dict[int, dict[str, int | float | str | bool]] = {}
    for key, value in op.options.items():
        number, name = key.split(".", 1)
        found.setdefault(int(number), {})[name] = value
    stages = []
    for _, options in sorted(found.items()):
        kind, inputs = str(options.pop("kind")), str(options.pop("inputs")).split()
        output = int(options.pop("output"))
        stages.append(Op(kind, tuple(map(int, inputs)), (output,), MappingProxyType(options)))
    return tuple(stages)


def can_be_stage(graph: Graph, op: Op) -> bool:
    """Whether a chain can have the operator."""
    if op.kind == "ADD":
        tensors = [graph.tensors[i] for i in (*op.inputs, *op.outputs)]
        return (
            all(not t.constant and t.shape == tensors[0].shape for t in tensors)
            and len(tensors[0].shape) == len("nhwc")
            and len(full_operands(graph, op)) == 2
        )
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D") or is_dilated(op):
        return False
    return inverted_residual.has_rows(_window(graph, op))


@dataclass(frozen=True)
class Layout:
    """Rows of each stage that are kept, their places in the scratch in bytes, and those of blocks' work space."""

    run: rows.Run
    slides: tuple[rows.Slide, ...]
    places: tuple[int, ...]
    work: tuple[int, ...]
    scratch_bytes: int


class Chain(Operator):
    """The kernels of its stages, called by rows."""

    def check(self, graph: Graph, op: Op) -> None:
        """Refuse what the stages refuse, and stages that cannot run by rows."""
        stages = stages_of(op)
        if not 1 < len(stages) <= MOST_STAGES:
            raise ModelError(f"a chain has 2 to {MOST_STAGES} stages; got {len(stages)}")
        for stage in stages:
            if stage.kind not in MEMBERS:
                raise ModelError(f"{stage.kind} cannot be a stage of a chain")
            _OPERATORS[stage.kind].check(graph, stage)
            if stage.kind != inverted_residual.KIND and not can_be_stage(graph, stage):
                raise ModelError(f"stage {stage.kind} cannot run row by row")

    def lower(self, graph: Graph, op: Op) -> Call:
        """Call ``chain``, which calls the stages' kernels."""
        stages, layout = stages_of(op), layout_of(graph, op)
        output = output_of(graph, op)
        element = DTYPE_BYTES[output.dtype]
        calls = [_call(graph, stage) for stage in stages]
        dtype = "Float" if output.dtype == "float32" else "Int8"
        listed: list[Value] = []
        for number, (stage, call, slide) in enumerate(
            zip(stages, calls, layout.slides, strict=True)
        ):
            fields = {
                name: inverted_residual.labelled(str(number), value)
                for name, value in call.fields.items()
            }
            part = Part(str(number), call.params, fields)
            members: dict[str, Value] = dict.fromkeys(MEMBERS.values())
            members[MEMBERS[stage.kind]] = part
            last = number == len(stages) - 1
            made = graph.tensors[stage.outputs[0]]
            listed.append(
                members
                | {
                    "source": slide.sources[0],
                    "other": slide.sources[-1],
                    "source_height": slide.source_height,
                    "height": slide.height,
                    "kept": slide.height if last else layout.run.kept[number],
                    "kernel": slide.kernel,
                    "stride": slide.stride,
                    "pad": slide.pad,
                    "columns": int(stage.options.get(COLUMNS, 0)),
                    "row": made.elements // slide.height,
                    "place": layout.places[number] // element,
                    "work": layout.work[number] // element,
                }
            )
        source = graph.tensors[op.inputs[0]]
        return Call(
            "chain_any" if any(call.kernel.endswith("_any") for call in calls) else "chain",
            "chain.hpp",
            f"Chain{dtype}",
            {
                "stages": Part("stages", f"ChainStage{dtype}", tuple(listed)),
                "count": len(stages),
                "input_row": source.elements // source.shape[1],
            },
            op.inputs[:1],
            op.outputs[0],
        )

    def sweep(self, graph: Graph, op: Op, position: int) -> Sweep | None:
        """Rows of the input are read as the stages ask for them."""
        if position:
            return None
        layout, source, output = (
            layout_of(graph, op),
            graph.tensors[op.inputs[0]],
            output_of(graph, op),
        )
        return Sweep(
            layout.run.reads,
            source.size_bytes // source.shape[1],
            output.size_bytes // output.shape[1],
            reads_first=rows.INPUT not in layout.slides[-1].sources,
        )

    def scratch_bytes(self, graph: Graph, op: Op) -> int:
        """The rows that are kept, and what blocks work in."""
        return layout_of(graph, op).scratch_bytes

    def constant_bytes(self, graph: Graph, op: Op) -> int:
        """Those of the stages."""
        return sum(_OPERATORS[stage.kind].constant_bytes(graph, stage) for stage in stages_of(op))


def layout_of(graph: Graph, op: Op) -> Layout:
    """What the chain keeps, and where."""
    stages = stages_of(op)
    makers = {stage.outputs[0]: number for number, stage in enumerate(stages)}
    slides = tuple(_slide(graph, stage, makers) for stage in stages)
    found = rows.run(slides)
    last = len(stages) - 1
    blocks: list[tuple[int, int]] = []
    for number, stage in enumerate(stages):
        made = graph.tensors[stage.outputs[0]]
        size = (
            0 if number == last else found.kept[number] * (made.size_bytes // slides[number].height)
        )
        blocks += [(size, found.busy[number]), (_work_bytes(graph, stage), found.made[number])]
    places, end = rows.pack(blocks, ALIGNMENT_BYTES)
    return Layout(found, slides, tuple(places[::2]), tuple(places[1::2]), end)


def extra_multiply_adds(graph: Graph, op: Op) -> int:
    """What blocks that expand their rows anew take more than if they did so once."""
    return sum(
        _expanded(graph, stage)[1] - _once(graph, stage)
        for stage in stages_of(op)
        if stage.kind == inverted_residual.KIND
    )


def _once(graph: Graph, stage: Op) -> int:
    expand = inverted_residual.stages_of(stage)[0]
    weights = graph.tensors[expand.inputs[1]]
    return output_of(graph, expand).elements // weights.shape[0] * weights.elements


def _expanded(graph: Graph, stage: Op) -> tuple[int, int]:
    """Columns of the widest part of a row that is expanded at a time, and multiply-adds of all of them."""
    window, columns = inverted_residual.window_of(graph, stage), int(stage.options[COLUMNS])
    widths = []
    for x in range(0, window.output[1], columns):
        left = x * window.stride_w - window.pad_left
        end = min(x + columns, window.output[1]) - 1
        right = end * window.stride_w - window.pad_left + window.kernel_w
        width = window.input[1]
        widths.append(min(max(right, 0), width) - min(max(left, 0), width))
    slide = _slide(graph, stage, {})
    lines = sum(to - first for first, to in map(slide.reach, range(slide.height)))
    weights = graph.tensors[inverted_residual.stages_of(stage)[0].inputs[1]].elements
    return max(widths), sum(widths) * lines * weights


def _work_bytes(graph: Graph, stage: Op) -> int:
    """The part of the expansion under some columns, and what the depthwise convolution makes of it."""
    if stage.kind != inverted_residual.KIND:
        return 0
    window = inverted_residual.window_of(graph, stage)
    columns = min(int(stage.options[COLUMNS]), window.output[1])
    lines = min(window.kernel_h, window.input[0])
    elements = lines * _expanded(graph, stage)[0] * window.input[2] + columns * window.output[2]
    return elements * DTYPE_BYTES[output_of(graph, stage).dtype]


def _slide(graph: Graph, stage: Op, makers: dict[int, int]) -> rows.Slide:
    activations = [i for i in stage.inputs if i >= 0 and not graph.tensors[i].constant]
    sources = tuple(makers.get(i, rows.INPUT) for i in activations)
    height, made = graph.tensors[activations[0]].shape[1], output_of(graph, stage).shape[1]
    if stage.kind == "ADD":
        return rows.Slide(sources, height, made)
    window = _window(graph, stage)
    return rows.Slide(sources, height, made, window.kernel_h, window.stride_h, window.pad_top)


def _window(graph: Graph, op: Op) -> Window:
    if op.kind == inverted_residual.KIND:
        return inverted_residual.window_of(graph, op)
    if op.kind == "CONV_2D":
        return conv_2d.sliding_window(graph, op)
    return depthwise_conv_2d.sliding_window(graph, op)


def _call(graph: Graph, stage: Op) -> Call:
    """The stage's kernel on the whole; of a sum, which has no window, on one row."""
    if stage.kind == "DEPTHWISE_CONV_2D":
        return depthwise_conv_2d.OPERATOR.call(graph, stage, _window(graph, stage), by_rows=True)
    call = _OPERATORS[stage.kind].lower(graph, stage)
    assert call is not None
    if stage.kind != "ADD":
        return call
    made = output_of(graph, stage)
    elements = made.elements // made.shape[1]
    steps = (elements, elements, 1)
    loops = {"size": (1, 1, elements), "step_a": steps, "step_b": steps}
    return replace(call, fields={**call.fields, "broadcast": loops})


OPERATOR = Chain()
