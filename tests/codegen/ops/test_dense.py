"""Dense layers of more inputs than a side of the kernel's shapes holds."""

from __future__ import annotations

import numpy as np
import pytest

from codegen import ops
from codegen.frontend.read import read
from codegen.ir import Graph, ModelError
from tests.support.extractors import compile_extractors, oracle
from tests.support.models import random_inputs, to_flatbuffer
from tools.graphs.builder import Builder


def dense(inputs: int, dtype: str = "int8", *, largest: int = 127) -> Graph:
    """Two outputs of so many inputs."""
    b = Builder(np.random.default_rng(inputs), dtype)
    codes = b.rng.integers(-largest, largest + 1, (2, inputs))
    source = b.activation((1, inputs), 0.05)
    weights = (
        b.constant(codes.astype(np.int8), (0.004, 0.005))
        if dtype == "int8"
        else b.constant((codes / 9999).astype(np.float32))
    )
    bias = b.constant(np.zeros(2, np.int32 if dtype == "int8" else np.float32))
    output = b.activation((1, 2), 0.05 * 74 * 0.005 * 73 * np.sqrt(inputs) / 64)
    b.operator("FULLY_CONNECTED", (source, weights, bias), output, fused_activation="NONE")
    return b.graph(source, output)


def test_a_beginners_flatten_gives_the_oracles_bytes(tmp_path) -> None:
    """48 x 48 x 16, and more than 2^16 where the weights prove that no sum overflows."""
    models = [
        to_flatbuffer(graph)
        for graph in (dense(36_864), dense(36_864, "float32"), dense(73_728, largest=9))
    ]
    graphs = [read(model) for model in models]
    for model, graph, extract in zip(
        models, graphs, compile_extractors(graphs, tmp_path), strict=True
    ):
        inputs = random_inputs(graph, 4, np.random.default_rng(1))
        expected, found = oracle(model, inputs), extract(inputs)
        if graph.input.dtype == "int8":
            np.testing.assert_array_equal(found, expected)
            assert len(np.unique(expected)) > 4
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("inputs", "largest", "message"),
    [
        (40_009, 9, "must be a multiple of a number up to"),
        (73_728, 127, "65536 products may overflow"),
    ],
)
def test_what_has_no_rows_or_may_overflow_is_refused(
    inputs: int, largest: int, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        ops.check(dense(inputs, largest=largest))
