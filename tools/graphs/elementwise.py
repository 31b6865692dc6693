"""Random models of arithmetic and of activations: what goes element by element."""

from __future__ import annotations

import numpy as np

from codegen.ir import Graph
from tools.graphs.builder import Builder


def binary(rng: np.random.Generator, dtype: str) -> Graph:
    """ADD, SUB or MUL: of an activation and itself, a pooled one or a constant, either way round."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 7, 3)))
    kind = str(rng.choice(["ADD", "MUL", "SUB"]))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    other = source
    choice = int(rng.integers(6))
    if choice == 1:  # squeeze-and-excitation's pattern
        axes = b.constant(np.array([1, 2], np.int32))
        other = b.activation((1, 1, 1, shape[3]), rng.uniform(0.01, 0.1))
        b.operator("MEAN", (source, axes), other, keep_dims=True)
    elif choice > 1:
        sides = tuple(n if rng.random() < 0.5 else 1 for n in shape) if choice > 2 else ()
        data = rng.integers(-128, 128, sides)
        real = (data / 64).astype(np.float32)
        zero = int(rng.integers(-128, 128))
        other = (
            b.constant(np.asarray(data, np.int8), (rng.uniform(0.01, 0.1),), zero=zero)
            if dtype == "int8"
            else b.constant(np.asarray(real))
        )
    scale = rng.uniform(0.05, 1) if kind == "MUL" else rng.uniform(0.02, 0.2)
    output = b.activation(shape, scale)
    operands = (source, other) if rng.random() < 0.5 else (other, source)
    activation = str(rng.choice(["NONE", "RELU", "RELU6"]))
    b.operator(kind, operands, output, fused_activation=activation)
    return b.graph(source, output)


def hard_sigmoid(rng: np.random.Generator, dtype: str) -> Graph:
    """ADD a constant with a fused RELU6, then MUL by a constant: one table."""
    b = Builder(rng, dtype)
    shape = (1, 1, 1, int(rng.integers(1, 20)))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    three, sixth = (
        b.constant(np.asarray(127, np.int8), (real / 255,), zero=-128)
        if dtype == "int8"
        else b.constant(np.asarray(real, np.float32))
        for real in (3.0, 1 / 6)
    )
    gate = b.activation(shape, 6 / 255, -128)
    b.operator("ADD", (source, three), gate, fused_activation="RELU6")
    output = b.activation(shape, 1 / 256, -128)
    b.operator("MUL", (gate, sixth), output, fused_activation="NONE")
    return b.graph(source, output)


def unary(rng: np.random.Generator, dtype: str) -> Graph:
    """One or two operators of one operand over all codes."""
    b = Builder(rng, dtype)
    shape = (1, 16, 16, 1)
    kinds = ["HARD_SWISH", "LOGISTIC", "RELU", "RELU6"] + ["QUANTIZE"] * (dtype == "int8")
    scale = float(np.exp(rng.uniform(np.log(0.003), np.log(0.2))))
    source = output = b.activation(shape, scale)
    for _ in range(int(rng.integers(1, 3))):
        kind = str(rng.choice(kinds))
        before = b.tensors[output].quantization
        if kind == "LOGISTIC":
            after = b.activation(shape, 1 / 256, -128)
        elif kind == "RELU6" and before is not None:
            after = b.activation(shape, before.scales[0], before.zero_points[0])
        else:
            previous = before.scales[0] if before else scale
            after = b.activation(shape, previous * rng.uniform(0.3, 1.5))
        output = b.operator(kind, (output,), after)
    return b.graph(source, output)


def quantization(rng: np.random.Generator, dtype: str) -> Graph:
    """From codes to reals and back, or from reals to codes and back, with a step between."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 7, 3)))
    source = b.activation(shape, rng.uniform(0.01, 0.1))
    kinds = ("DEQUANTIZE", "QUANTIZE") if dtype == "int8" else ("QUANTIZE", "DEQUANTIZE")
    other = "float32" if dtype == "int8" else "int8"
    inner = b.operator(
        kinds[0], (source,), b.activation(shape, rng.uniform(0.02, 0.1), None, other)
    )
    if rng.random() < 0.7:
        after = b.activation(shape, rng.uniform(0.02, 0.1), None, other)
        inner = b.operator("HARD_SWISH" if rng.random() < 0.5 else "RELU", (inner,), after)
    output = b.operator(kinds[1], (inner,), b.activation(shape, rng.uniform(0.01, 0.1)))
    return b.graph(source, output)


def curves(rng: np.random.Generator, dtype: str) -> Graph:
    """TANH, LEAKY_RELU or ELU of every code, of fine scales and coarse ones."""
    b = Builder(rng, dtype)
    shape = (1, 16, 16, 1)
    kind = str(rng.choice(["TANH", "LEAKY_RELU", "ELU"]))
    scale = float(np.exp(rng.uniform(np.log(0.003), np.log(0.2))))
    source = b.activation(shape, scale)
    if kind == "TANH":
        output = b.operator(kind, (source,), b.activation(shape, 1 / 128, 0))
    else:
        alpha = float(np.float32(rng.choice([0.01, 0.1, 0.2, 0.3, 1.5])))
        options = {"alpha": alpha} if kind == "LEAKY_RELU" else {}
        after = b.activation(shape, scale * rng.uniform(0.3, 1.5))
        output = b.operator(kind, (source,), after, **options)
    return b.graph(source, output)


def gelu(rng: np.random.Generator, dtype: str) -> Graph:
    """GELU, the exact one and the one by tanh."""
    b = Builder(rng, dtype)
    shape = (1, 16, 16, 1)
    scale = float(np.exp(rng.uniform(np.log(0.01), np.log(0.1))))
    source, output = b.activation(shape, scale), b.activation(shape, scale * rng.uniform(0.5, 1.2))
    b.operator("GELU", (source,), output, approximate=bool(rng.random() < 0.5))
    return b.graph(source, output)


def prelu(rng: np.random.Generator, dtype: str) -> Graph:
    """A slope of either sign for each channel, or for each element."""
    b = Builder(rng, dtype)
    shape = (1, *(int(n) for n in rng.integers(2, 9, 3)))
    source = b.activation(shape, rng.uniform(0.02, 0.1))
    codes = rng.integers(-128, 128, shape[1:] if rng.random() < 0.3 else (1, 1, shape[3]))
    slopes = (
        b.constant(
            codes.astype(np.int8), (rng.uniform(0.001, 0.01),), zero=int(rng.integers(-99, 99))
        )
        if dtype == "int8"
        else b.constant((codes / 256).astype(np.float32))
    )
    output = b.activation(shape, rng.uniform(0.02, 0.1))
    b.operator("PRELU", (source, slopes), output)
    return b.graph(source, output)
