"""How many bytes of flash the firmware's code takes, estimated from shapes.

Every figure was measured with arm-none-eabi-g++ 12.2 at the project's flags (-O2) for a Cortex-M7,
where code is a few bytes larger than for a Cortex-M4: kernels as the sizes of their symbols, a call
as its constant parameters and the instructions in ``extract`` (20 bytes), the runtime as what is
left of a linked ``firmware.elf``. ``tests/codegen/test_memory.py`` links projects and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from codegen.ir import Graph

# Start-up, vectors, the application, the model, the learner, memcpy and memset; the learner's loops
# over classes are unrolled.
RUNTIME_BYTES = 4400
CLASS_BYTES = 110
MOST_UNROLLED_CLASSES = 24
# Cores without a floating-point unit link libgcc's routines; the M0+ also divides and multiplies
# 64-bit products in software.
# The M4 and M55: what kernels and firmware took beyond the rows below when the networks of
# benchmarks/codegen.py were linked; measure again with it after either changes.
CORE_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "cortex-m0plus": 4300,
        "cortex-m3": 1800,
        "cortex-m4": 798,
        "cortex-m55": 2600,
    }
)


@dataclass(frozen=True)
class KernelCost:
    """Flash of a kernel: its ``code_bytes`` once, and ``call_bytes`` for each operator."""

    kernel: str
    code_bytes: int
    call_bytes: int


_LOOKUP = KernelCost("lookup", 46, 28)
_CLAMP = KernelCost("clamp", 60, 32)
_NONE = KernelCost("none", 0, 0)
_INT8: Mapping[str, KernelCost] = MappingProxyType(
    {
        "ADD": KernelCost("add", 522, 92),
        "AVERAGE_POOL_2D": KernelCost("average_pool_2d", 414, 48),
        "CONCATENATION": KernelCost("concatenation", 80, 36),
        "CONV_2D": KernelCost("conv_2d", 1140, 68),
        "DEPTHWISE_CONV_2D": KernelCost("depthwise_conv_2d", 1468, 72),
        "DEQUANTIZE": KernelCost("dequantize", 56, 32),
        "FULLY_CONNECTED": KernelCost("conv_2d", 1140, 68),
        "HARD_SWISH": _LOOKUP,
        "INVERTED_RESIDUAL": KernelCost("inverted_residual", 518, 20),
        "LOGISTIC": _LOOKUP,
        "LOOKUP": _LOOKUP,
        "MAX_POOL_2D": KernelCost("max_pool_2d", 370, 48),
        "MEAN": KernelCost("mean", 178, 44),
        "MUL": KernelCost("mul", 362, 84),
        "PAD": KernelCost("pad", 220, 44),
        "PADV2": KernelCost("pad", 220, 44),
        "QUANTIZE": _LOOKUP,
        "RELU": _LOOKUP,
        "RELU6": _LOOKUP,
        "RESHAPE": _NONE,
        "RESIZE_BILINEAR": KernelCost("resize_bilinear", 448, 48),
        "RESIZE_NEAREST_NEIGHBOR": KernelCost("resize_nearest", 112, 40),
        "SOFTMAX": KernelCost("softmax", 628, 32),
        "SUB": KernelCost("sub", 518, 76),
    }
)
_FLOAT: Mapping[str, KernelCost] = MappingProxyType(
    {
        "ADD": KernelCost("add", 302, 80),
        "AVERAGE_POOL_2D": KernelCost("average_pool_2d", 452, 52),
        "CONCATENATION": KernelCost("concatenation", 80, 36),
        "CONV_2D": KernelCost("conv_2d", 532, 60),
        "DEPTHWISE_CONV_2D": KernelCost("depthwise_conv_2d", 524, 64),
        "FULLY_CONNECTED": KernelCost("conv_2d", 532, 60),
        "HARD_SWISH": KernelCost("hard_swish", 96, 24),
        "INVERTED_RESIDUAL": KernelCost("inverted_residual", 518, 20),
        "LOGISTIC": KernelCost("logistic", 880, 24),  # libm's expf and its tables included
        "MAX_POOL_2D": KernelCost("max_pool_2d", 444, 52),
        "MEAN": KernelCost("mean", 96, 28),
        "MUL": KernelCost("mul", 302, 76),
        "PAD": KernelCost("pad", 220, 48),
        "PADV2": KernelCost("pad", 220, 48),
        "QUANTIZE": KernelCost("quantize", 192, 32),
        "RELU": _CLAMP,
        "RELU6": _CLAMP,
        "RESHAPE": _NONE,
        "RESIZE_BILINEAR": KernelCost("resize_bilinear", 454, 48),
        "RESIZE_NEAREST_NEIGHBOR": KernelCost("resize_nearest", 128, 40),
        "SOFTMAX": KernelCost("softmax", 976, 32),  # libm's expf and its tables included
        "SUB": KernelCost("sub", 252, 64),
    }
)

# Kernels that a kernel calls, and parameters that its own hold.
_STAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"INVERTED_RESIDUAL": ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D")}
)


def code_bytes(graph: Graph, classes: int, core: str) -> int:
    """Flash that code takes: the runtime, each kernel that ``graph`` needs, and all calls."""
    costs = [
        _cost(graph.tensors[op.inputs[0]].dtype, kind)
        for op in graph.ops
        for kind in (op.kind, *_STAGES.get(op.kind, ()))
    ]
    kernels = {cost.kernel: cost.code_bytes for cost in costs}
    runtime = RUNTIME_BYTES + CLASS_BYTES * min(classes, MOST_UNROLLED_CLASSES)
    calls = sum(cost.call_bytes for cost in costs)
    return runtime + CORE_BYTES.get(core, 0) + sum(kernels.values()) + calls


def _cost(dtype: str, kind: str) -> KernelCost:
    return (_FLOAT if dtype == "float32" else _INT8)[kind]
