"""Bytes at a network's ends are codes: 128 less, and so is their zero point.

What a uint8 input is converted to inside of the network then is the very code, or one of the same
real number under another scale; the QUANTIZE stays to say which.
"""

from __future__ import annotations

from dataclasses import replace

from codegen.ir import Op, Quantization
from codegen.passes.draft import Draft

BORDER = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "CAST")
OFFSET = 128


def shift_bytes(draft: Draft) -> None:
    """Make int8 of uint8 activations that are only brought to another type, scale or shape."""
    for op in [op for op in draft.ops if op.kind == "CAST"]:
        _name_reals(draft, op)
    for index, tensor in enumerate(draft.tensors):
        if tensor.dtype != "uint8" or tensor.constant or tensor.quantization is None:
            continue
        near = [op for op in draft.ops if index in (*op.inputs, *op.outputs)]
        if not near or any(op.kind not in BORDER for op in near):
            continue
        quantization = replace(
            tensor.quantization,
            zero_points=tuple(zero - OFFSET for zero in tensor.quantization.zero_points),
        )
        draft.tensors[index] = replace(tensor, dtype="int8", quantization=quantization)


def _name_reals(draft: Draft, op: Op) -> None:
    """A CAST of bytes to reals is a DEQUANTIZE of scale 1."""
    if len(op.inputs) != 1 or len(op.outputs) != 1 or op.inputs[0] < 0:
        return
    source, output = draft.tensors[op.inputs[0]], draft.tensors[op.outputs[0]]
    if source.dtype != "uint8" or output.dtype != "float32" or source.constant:
        return
    if source.quantization is not None and source.quantization != Quantization((1.0,), (0,)):
        return  # CAST would ignore what the quantization says
    draft.tensors[op.inputs[0]] = replace(source, quantization=Quantization((1.0,), (0,)))
    draft.swap(op, Op("DEQUANTIZE", op.inputs, op.outputs))
