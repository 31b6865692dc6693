"""SPACE_TO_BATCH_ND, a convolution and BATCH_TO_SPACE_ND are one convolution whose taps lie apart.

Converters write dilated convolutions so: every so-many-th row and column is a batch of its own. What
the first pads is the convolution's padding, what the last crops is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from codegen.ir import Op
from codegen.passes.draft import Draft
from codegen.passes.windows import WINDOWED, with_padding

LINE = 3  # axes of a line of samples


@dataclass(frozen=True)
class Chain:
    """The three operators, and the RESHAPEs that lie between them around a convolution of a line."""

    apart: Op
    convolution: Op
    together: Op
    between: tuple[Op, ...]


def dilate(draft: Draft) -> None:
    """Replace every such chain whose amounts are known."""
    for op in [op for op in draft.ops if op.kind == "SPACE_TO_BATCH_ND"]:
        chain = _chain(draft, op)
        amounts = None if chain is None else _amounts(draft, chain)
        if chain is None or amounts is None:
            continue
        block, pads, crops = amounts
        _join(draft, chain, block, [p - c for p, c in zip(pads, crops, strict=True)])


def _join(draft: Draft, chain: Chain, block: list[int], before: list[int]) -> None:
    """Put one convolution in the chain's place, ``before`` its first row and column that much padding."""
    source, output = chain.apart.inputs[0], chain.together.outputs[0]
    image, made = (draft.tensors[index] for index in (source, output))
    lies_down = draft.tensors[chain.convolution.inputs[0]].shape[1] == 1

    def sides(of_block: Sequence[int], other: int) -> tuple[int, int]:
        """Of height and width: a line has but one of them."""
        if len(image.shape) == LINE:
            return (other, of_block[0]) if lies_down else (of_block[0], other)
        return of_block[0], of_block[1]

    ends = [source, output]
    if len(image.shape) == LINE:
        ends = [
            draft.append(replace(end, shape=(1, *sides(end.shape[1:2], 1), end.shape[2])))
            for end in (image, made)
        ]
    options = dict(with_padding(chain.convolution, *sides(before, 0)))
    options |= dict(zip(("dilation_h", "dilation_w"), sides(block, 1), strict=True))
    inputs = (ends[0], *chain.convolution.inputs[1:])
    joined = [Op(chain.convolution.kind, inputs, (ends[1],), MappingProxyType(options))]
    if len(image.shape) == LINE:
        joined.insert(0, Op("RESHAPE", (source,), (ends[0],)))
        joined.append(Op("RESHAPE", (ends[1],), (output,)))
    draft.swap(chain.together, *joined)
    for gone in (chain.apart, chain.convolution, *chain.between):
        draft.remove(gone)


def _chain(draft: Draft, apart: Op) -> Chain | None:
    """From one to the other, where nothing else reads what is between."""
    op, between, convolution = apart, list[Op](), None
    while len(op.outputs) == 1:
        after = draft.only_reader(op.outputs[0])
        if after is None or after.inputs[0] != op.outputs[0]:
            return None
        if after.kind == "BATCH_TO_SPACE_ND" and convolution is not None:
            return Chain(apart, convolution, after, tuple(between))
        if after.kind in WINDOWED and convolution is None:
            convolution = after
        elif after.kind in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE"):
            between.append(after)
        else:
            return None
        op = after
    return None


def _amounts(draft: Draft, chain: Chain) -> tuple[list[int], list[int], list[int]] | None:
    """The block, and what is padded and cropped before each axis; None where that is not sound."""
    image, made = (draft.tensors[i] for i in (chain.apart.inputs[0], *chain.together.outputs[:1]))
    rank = len(image.shape) - 2
    if rank not in (1, 2) or len(made.shape) != len(image.shape) or image.shape[0] != 1:
        return None
    options = chain.convolution.options
    plain = (options["stride_h"], options["stride_w"]) == (1, 1) and options["padding"] == "VALID"
    weights = draft.tensors[chain.convolution.inputs[1]].shape
    inner = draft.tensors[chain.convolution.inputs[0]].shape
    if not plain or len(weights) != 4 or len(inner) != 4:
        return None
    if (options["dilation_h"], options["dilation_w"]) != (1, 1):
        return None
    scales = [
        draft.tensors[i].quantization
        for i in (chain.apart.inputs[0], chain.apart.outputs[0], chain.convolution.inputs[0])
    ]
    scales_after = [
        draft.tensors[i].quantization
        for i in (chain.convolution.outputs[0], chain.together.inputs[0], *chain.together.outputs)
    ]
    if any(s != scales[0] for s in scales) or any(s != scales_after[0] for s in scales_after):
        return None
    if len(chain.apart.inputs) != 3 or len(chain.together.inputs) != 3:
        return None
    found = []
    for op in (chain.apart, chain.together):
        operands = [draft.tensors[i].data for i in op.inputs[1:] if i >= 0]
        if len(operands) != 2 or any(data is None for data in operands):
            return None
        sizes, edges = ([int(n) for n in data.reshape(-1)] for data in operands if data is not None)
        if len(sizes) != rank or len(edges) != 2 * rank or min(*sizes, *edges) < 0:
            return None
        found.append((sizes, list(zip(edges[::2], edges[1::2], strict=True))))
    (block, pads), (same, crops) = found
    if block != same or min(block) < 1:
        return None
    if rank == 1:
        lies_down = inner[1] == 1
        if inner[1:3] == (1, 1) or (weights[1] if lies_down else weights[2]) != 1:
            return None
        taps = [weights[2] if lies_down else weights[1]]
    else:
        taps = list(weights[1:3])
    for axis in range(rank):
        reach = (taps[axis] - 1) * block[axis]
        length = image.shape[1 + axis] + sum(pads[axis]) - reach - sum(crops[axis])
        if length != made.shape[1 + axis]:
            return None
    return block, [before for before, _ in pads], [before for before, _ in crops]
