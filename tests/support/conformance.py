"""Models that hold every int8 kernel against the oracle: ordinary ones, and hostile ones.

A hostile model has the shapes of an ordinary one, but factors to its output from 2^-31 to far above
1 (exponents of either sign, outputs that saturate), zero points at both ends of the range, and
accumulators close to the limits of int32.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from codegen.frontend.read import read
from codegen.ir import Graph, Tensor
from codegen.plan import Plan
from codegen.plan.fusion import blocks_of, fuse
from tests.support.extractors import oracle
from tests.support.families import FAMILIES
from tests.support.models import to_flatbuffer

Codes = npt.NDArray[np.int8]

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Operators whose tensors may have any zero points, and whose output may have any scale.
FREE = (*WEIGHTED, "ADD", "SUB", "MUL", "MEAN")
HOSTILE_SHARE = 0.4
LARGEST_SHIFT = 24  # of hostile factors; their product with an accumulator leaves int32 at will


@dataclass(frozen=True, eq=False)
class Conformance:
    """A model of a family, the compiler's graph, inputs (N, ...), and the oracle's outputs.

    It is planned as ``emit`` does it unless there is a ``layout``.
    """

    family: str
    number: int
    graph: Graph
    inputs: Codes
    expected: Codes
    layout: Plan | None = None

    @property
    def identifier(self) -> str:
        """A namespace of its own."""
        return f"{self.family}_{self.number}"

    def first(self, count: int) -> Conformance:
        """The same model with its first ``count`` inputs."""
        return replace(self, inputs=self.inputs[:count], expected=self.expected[:count])

    @property
    def title(self) -> str:
        """For messages: the operators and the shapes of their outputs."""
        tensors = self.graph.tensors
        steps = (f"{op.kind} -> {tensors[op.outputs[0]].shape}" for op in self.graph.ops)
        return f"{self.identifier}: {self.graph.input.shape} {', '.join(steps)}"


def models(
    name: str, count: int, inputs: int, hostile_share: float = HOSTILE_SHARE
) -> list[Conformance]:
    """``count`` models of one family, ``inputs`` random inputs for each; the oracle's answers."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    made: list[Conformance] = []
    while len(made) < count:
        graph = FAMILIES[name](rng, "int8")
        if rng.random() < hostile_share and name != "batches":  # LiteRT's sums are not to overflow
            graph = hostile(rng, graph)
        model = to_flatbuffer(graph)
        codes = random_codes(rng, (inputs, *graph.input.shape[1:]))
        read_back = read(model)
        if name == "inverted_residual":
            read_back = fuse(read_back, blocks_of(read_back))
        made.append(Conformance(name, len(made), read_back, codes, oracle(model, codes)))
    return made


def random_codes(rng: np.random.Generator, shape: tuple[int, ...]) -> Codes:
    """Inputs: one extreme; then mostly any codes, some of one code, some of the two extremes."""
    codes = rng.integers(-128, 128, shape).astype(np.int8)
    extremes = np.array([-128, 127], np.int8)
    for image in codes:
        choice = rng.random()
        if choice < 0.1:
            image[...] = rng.choice([-128, 127, 0])
        elif choice < 0.2:
            image[...] = rng.choice(extremes, image.shape)
    codes[0] = rng.choice(extremes)
    return codes


def hostile(rng: np.random.Generator, graph: Graph) -> Graph:
    """The same operators with extreme zero points, biases and factors, where they are free."""
    tensors = list(graph.tensors)
    bound = {i for op in graph.ops if op.kind not in FREE for i in (*op.inputs, *op.outputs)}
    for index, tensor in enumerate(tensors):
        if tensor.quantization and not tensor.constant and index not in bound:
            zero = int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))
            quantization = replace(tensor.quantization, zero_points=(zero,))
            tensors[index] = replace(tensor, quantization=quantization)
    for op in graph.ops:
        if op.kind in WEIGHTED and len(op.inputs) > 2 and rng.random() < 0.5:
            weights = tensors[op.inputs[1]]
            tensors[op.inputs[2]] = _large_bias(rng, tensors[op.inputs[2]], weights)
        output = op.outputs[0]
        if op.kind in FREE and output in graph.outputs and rng.random() < 0.7:
            quantization = tensors[output].quantization
            assert quantization is not None
            # TFLM aborts where a sum of two tensors is not scaled down from its 20 bits of headroom.
            least = -16 if op.kind in ("ADD", "SUB") else -LARGEST_SHIFT
            factor = 2.0 ** rng.uniform(least, LARGEST_SHIFT)
            scale = float(np.float32(quantization.scales[0] * factor))
            tensors[output] = replace(
                tensors[output], quantization=replace(quantization, scales=(scale,))
            )
    return replace(graph, tensors=tuple(tensors))


def _large_bias(rng: np.random.Generator, bias: Tensor, weights: Tensor) -> Tensor:
    """Biases up to where the sum of products and folded zero points just stays in int32."""
    taps = weights.elements // bias.elements
    limit = 2**31 - 1 - taps * 127 * 255
    values = rng.choice(np.array([-limit, limit, limit // 2, -1]), bias.elements)
    return replace(bias, data=values.astype(np.int32))


def report(cases: Sequence[Conformance], outputs: Sequence[Codes]) -> str:
    """What differs, one line a model; empty when nothing does."""
    lines = []
    for case, output in zip(cases, outputs, strict=True):
        wrong = np.argwhere(output != case.expected)
        if len(wrong):
            at = tuple(int(n) for n in wrong[0])
            lines.append(
                f"{case.title}\n  {len(wrong)} of {output.size} bytes differ, first at {at}: "
                f"{output[at]}, not {case.expected[at]}"
            )
    return "\n".join(lines)
