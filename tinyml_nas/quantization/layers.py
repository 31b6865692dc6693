"""What the layers of a converted network are called: as in torch, with underscores for dots."""

from __future__ import annotations

import re

from codegen.ir import Graph, Op

LAYER = re.compile(r"[^/;]+/(\w+?)(_\d+)?/")
"""``extractor_1/blocks_3_expand_conv_1/convolution``: the numbers tell calls of one model apart."""

RESCALING = ("DEQUANTIZE", "QUANTIZE")


def layer_names(graph: Graph) -> list[str]:
    """A name for each operator, all different: ``blocks_3_depthwise_conv``, ``pool``, ``hard_swish``."""
    names: list[str] = []
    for op in graph.ops:
        name = _name(graph, op)
        taken = sum(
            re.fullmatch(rf"{re.escape(name)}(_again_\d+)?", other) is not None for other in names
        )
        names.append(f"{name}_again_{taken}" if taken else name)
    return names


def rounded(quantized: Graph) -> list[tuple[Op, int]]:
    """The operators of an int8 graph that are the float graph's, in order, each with the int8 tensor that it makes.

    Where a fixed scale, as a sigmoid's, meets another in a concatenation, the converter rescales by QUANTIZE. What has no
    int8 in TensorFlow Lite, as ELU, computes in reals between DEQUANTIZE and QUANTIZE.
    """
    coded = {op.inputs[0]: op.outputs[0] for op in quantized.ops if op.kind == "QUANTIZE"}
    found = []
    for op in quantized.ops:
        if op.kind not in RESCALING:
            made = op.outputs[0]
            is_real = quantized.tensors[made].dtype == "float32"
            found.append((op, coded[made] if is_real else made))
    return found


def _name(graph: Graph, op: Op) -> str:
    """After the layer of the Keras model that the operator comes from; after its kind where none is told."""
    constants = [graph.tensors[index] for index in op.inputs[1:2] if index >= 0]
    tensor = constants[0] if constants and constants[0].constant else graph.tensors[op.outputs[0]]
    found = LAYER.match(tensor.name) or LAYER.match(graph.tensors[op.outputs[0]].name)
    return found[1] if found else op.kind.lower()
