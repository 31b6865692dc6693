"""Small extractors, drawn by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codegen.boards.board import Board
from codegen.ir import DType, Graph, Op, Quantization, Tensor


@pytest.fixture(scope="session")
def board() -> Board:
    return Board(
        name="test_board",
        core="cortex-m4",
        clock_hz=180_000_000,
        flash_origin=0x0800_0000,
        flash_bytes=1 << 20,
        ram_origin=0x2000_0000,
        ram_bytes=256 << 10,
    )


@pytest.fixture(scope="session")
def make_graph() -> Callable[..., Graph]:
    """``make_graph(features=186, dtype="int8")``: conv 3x3 → MEAN → conv 1x1, shapes only.

    27 * 8 + 8 and 8 * F + F parameters; activations 192, 512, 8, F.
    """

    def make(features: int = 186, dtype: DType = "int8") -> Graph:
        bias: DType = "int32" if dtype == "int8" else "float32"
        quantization = Quantization((0.5,), (-3,)) if dtype == "int8" else None
        tensors = (
            Tensor("image", (1, 8, 8, 3), dtype),
            Tensor("weights_0", (8, 3, 3, 3), dtype, constant=True),
            Tensor("bias_0", (8,), bias, constant=True),
            Tensor("map", (1, 8, 8, 8), dtype),
            Tensor("axes", (2,), "int32", constant=True),
            Tensor("mean", (1, 1, 1, 8), dtype),
            Tensor("weights_1", (features, 1, 1, 8), dtype, constant=True),
            Tensor("bias_1", (features,), bias, constant=True),
            Tensor("table", (256,), "int8", constant=True),
            Tensor("psi", (1, 1, 1, features), dtype, quantization),
        )
        options = {
            "padding": "SAME",
            "stride_h": 1,
            "stride_w": 1,
            "dilation_h": 1,
            "dilation_w": 1,
            "fused_activation": "NONE",
        }
        ops = (
            Op("CONV_2D", (0, 1, 2), (3,), options),
            Op("MEAN", (3, 4), (5,), {"keep_dims": True}),
            Op("CONV_2D", (5, 6, 7, 8), (9,), options),
        )
        return Graph(tensors, ops, (0,), (9,))

    return make
