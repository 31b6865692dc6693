"""What keeps a graph from being compiled, by its cause, all at once, and what its owner can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from types import MappingProxyType

from codegen import ops
from codegen.frontend.ends import needed_for
from codegen.ir import Graph, ModelError, Op

AXES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: ("batch", "number of features"),
        3: ("batch", "length in time", "number of channels"),
        4: ("batch", "height", "width", "number of channels"),
    }
)
STATEFUL = frozenset(
    {
        *("LSTM", "RNN", "SVDF", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"),
        *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "WHILE", "IF"),
        *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"),
    }
)
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
LONGEST_LIST = 12


def check(graph: Graph) -> None:
    """Refuse a graph that the compiler cannot take.

    Raises:
        ModelError: names all operators that it does not have; or else the first that it does not
            have in this way, with the tensor, what that is and what is allowed.
    """
    check_operators(graph)
    check_types(graph)
    ops.check(graph)


def check_operators(graph: Graph, also: Collection[str] = ()) -> None:
    """Refuse operators that are neither the compiler's nor in ``also``: all of them, with counts.

    Raises:
        ModelError: names them, and what to do about each kind.
    """
    unknown = [op for op in graph.ops if op.kind not in ops.OPERATORS and op.kind not in also]
    if not unknown:
        return
    counts = Counter(op.kind for op in unknown)
    listed = [f"{kind} ({count})" for kind, count in counts.most_common(LONGEST_LIST)]
    more = f" and {len(counts) - len(listed)} kinds more" if len(counts) > len(listed) else ""
    advice = [
        text
        for kinds, text in (
            (
                STATEFUL,
                (
                    "What keeps state between inputs is not compiled; "
                    "a window of time with convolutions is. "
                ),
            ),
            (
                {kind for kind in counts if kind.startswith("custom operator 'Flex")},
                "Flex operators are TensorFlow's own: convert with TFLITE_BUILTINS alone. ",
            ),
        )
        if kinds & counts.keys()
    ]
    raise ModelError(
        f"{_operators(len(unknown))} {'is' if len(unknown) == 1 else 'are'} not supported: "
        f"{', '.join(listed)}{more}. {''.join(advice)}{_way_out(graph, unknown[0])}"
        "docs/operators.md lists what is supported"
    )


def check_types(graph: Graph) -> None:
    """Refuse what another way of quantizing has made, and say which one it was.

    Raises:
        ModelError: the activations have 16 bits, or are bytes inside of the network, or only the
            weights are codes.
    """
    outputs = [graph.tensors[i] for op in graph.ops for i in op.outputs]
    wide = [tensor for tensor in outputs if tensor.dtype == "int16"]
    if wide:
        raise ModelError(
            f"its activations are int16 ({len(wide)} tensors, the first is {wide[0].name!r}): convert "
            "it with TFLITE_BUILTINS_INT8, to int8 activations"
        )
    bytes_inside = [tensor for tensor in outputs if tensor.dtype == "uint8"]
    if bytes_inside:
        raise ModelError(
            f"its activations are uint8 ({len(bytes_inside)} tensors, the first is "
            f"{bytes_inside[0].name!r}), as TensorFlow 1 quantized them: convert it anew, to int8"
        )
    dynamic = [op for op in graph.ops if _is_dynamic(graph, op)]
    if dynamic:
        raise ModelError(
            f"only its weights are int8 (those of {_operators(len(dynamic))}, the first is "
            f"{dynamic[0].kind}), which is dynamic-range quantization: give the converter a "
            "representative_dataset, so that activations are int8 too, or no optimizations"
        )


def check_input(graph: Graph) -> None:
    """Refuse several inputs, a batch, and sides that are open.

    Raises:
        ModelError: names the axis and how it is closed.
    """
    if len(graph.inputs) != 1:
        names = ", ".join(repr(graph.tensors[i].name) for i in graph.inputs)
        raise ModelError(
            f"needs one input; it has {len(graph.inputs)}{': ' if names else ''}{names}. Concatenate "
            "them before the network, or export the part of it that follows where they meet"
        )
    source = graph.input
    if source.constant or not source.shape:
        raise ModelError(f"the input must be an activation with axes; it is {source.shape}")
    still_open = [axis for axis in source.open_axes if axis > 0]
    if still_open:
        known = AXES.get(len(source.shape), ())
        said = " and ".join(
            known[axis] if axis < len(known) else f"axis {axis}" for axis in still_open
        )
        raise ModelError(
            f"input {source.name!r} {source.shape} leaves its {said} open (a 1 stands for what is "
            "not known): give the size where the network is made, as in "
            "keras.Input((96, 96, 3)), and convert it again"
        )
    if source.shape[0] != 1:
        raise ModelError(
            f"the input's batch must be 1; its shape is {source.shape}. Make the network with "
            "batch_size=1, or leave the batch open"
        )


def check_wiring(graph: Graph) -> None:
    """Every activation is written once, and before it is read.

    Raises:
        ModelError: names the operator and the tensor.
    """
    known = {i for i, tensor in enumerate(graph.tensors) if tensor.constant} | set(graph.inputs)
    for number, op in enumerate(graph.ops):
        for index in op.inputs:
            if index != -1 and index not in known:
                raise ModelError(
                    f"operator {number} ({op.kind}) reads tensor "
                    f"{graph.tensors[index].name!r} before it is written"
                )
        for index in op.outputs:
            if index in known:
                raise ModelError(
                    f"operator {number} ({op.kind}) overwrites tensor {graph.tensors[index].name!r}"
                )
            known.add(index)
    if graph.outputs == graph.inputs:
        raise ModelError("the output is the input: there is no network between them")
    if graph.outputs[0] not in known or graph.output.constant:
        raise ModelError("the output must be an activation, and be written")


def _is_dynamic(graph: Graph, op: Op) -> bool:
    if op.kind not in WEIGHTED or len(op.inputs) < 2 or min(op.inputs[:2]) < 0:
        return False
    source, weights = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    return source.dtype == "float32" and weights.dtype == "int8"


def _operators(count: int) -> str:
    return f"{count} operator{'s' if count > 1 else ''}"


def _way_out(graph: Graph, first: Op) -> str:
    """The tensor at which the network can be cut, where something comes before ``first``."""
    for index in first.inputs:
        if index < 0 or graph.tensors[index].constant or index in graph.inputs:
            continue
        before = needed_for(graph, index)
        if before and all(op.kind in ops.OPERATORS for op in before):
            return (
                f"--cut {graph.tensors[index].name!r} ends the network before the first of them. "
            )
    return ""
