"""Random models of one or two operators, over the shapes and options that the compiler takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from codegen.ir import Graph
from tools.graphs import convolutions, elementwise, moving, spread, windows

Case = Callable[[np.random.Generator, str], Graph]

CASES: Mapping[str, Case] = {
    case.__name__: case
    for case in (
        convolutions.convolution,
        convolutions.depthwise_convolution,
        convolutions.depthwise_line,
        convolutions.zero_padded_kernel,
        convolutions.fully_connected,
        elementwise.binary,
        elementwise.hard_sigmoid,
        windows.mean,
        windows.pool,
        moving.padding,
        elementwise.unary,
        moving.reshape,
        windows.softmax,
        windows.resize,
        moving.concatenation,
        elementwise.quantization,
        moving.transpose,
        moving.part,
        moving.parts,
        moving.renamed,
        moving.extremes,
        moving.largest,
        elementwise.curves,
        elementwise.gelu,
        elementwise.prelu,
        spread.dilated,
        spread.batches,
        spread.padded_line,
        spread.backwards,
    )
}
