"""What TensorFlow Lite Micro makes of a user's inputs: the file itself is run, up to the features.

It is asked where it is installed (``pip install tflite-micro``); nothing else of the compiler needs it.
"""

from __future__ import annotations

import multiprocessing
import struct
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.frontend.flatbuffer import Table
from codegen.frontend.read import parse
from codegen.frontend.schema import IDENTIFIER
from codegen.ir import Tensor
from codegen.ops.quantize import to_reals

Array = npt.NDArray[np.generic]
ARENA_BYTES = 1 << 26  # more than any network for a microcontroller takes
BYTE_OFFSET = 128
SHOWN = 3


class OracleError(ValueError):
    """The oracle is not installed, or does not run the file."""


class DifferenceError(RuntimeError):
    """The generated code does not compute what the oracle does."""


def features(model: bytes, source: int, images: Array, image: Tensor) -> Array:
    """Tensor ``source`` of the file for ``images`` (N, H, W, C) of the extractor; (N, F), as it is.

    ``image`` is the extractor's input: its codes become what the file wants, reals or bytes.

    Raises:
        OracleError: it is not installed, has no such operator, or aborts.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime as _  # noqa: F401
    except ImportError as error:
        raise OracleError(
            "--verify: TensorFlow Lite Micro is not installed: pip install tflite-micro"
        ) from error
    if source < 0:
        raise OracleError(
            "--verify: the features are an average that the file does not hold; --cut at its last "
            "convolution's input, with --new-head, can be verified"
        )
    if reason := _not_run(model):
        raise OracleError(f"--verify: TensorFlow Lite Micro does not run the file: {reason}")
    given = [as_given(pixels, image, np.dtype(parse(model).input.dtype)) for pixels in images]
    kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(kind)
    try:  # in a process of its own: it aborts on some files, and would take this one with it
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            rows = pool.submit(_run, ending_at(model, source), given).result()
    except BrokenProcessPool:
        raise OracleError("--verify: TensorFlow Lite Micro aborts on this file") from None
    except (RuntimeError, ValueError) as error:
        raise OracleError(
            f"--verify: TensorFlow Lite Micro does not run the file: {error}"
        ) from error
    found = np.stack(rows)
    # Bytes at the end are codes here, 128 less.
    return (
        (found.astype(np.int16) - BYTE_OFFSET).astype(np.int8) if found.dtype == np.uint8 else found
    )


def _run(model: bytes, given: Sequence[Array]) -> list[Array]:
    """The first output of each input, as one row."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    shape = interpreter.get_input_details(0)["shape"]
    rows = []
    for values in given:
        interpreter.set_input(values.reshape(shape), 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).reshape(-1).copy())
    return rows


def verify(model: Path, source: int, images: Array, image: Tensor, found: Array) -> None:
    """Hold ``found``, features (N, F) of the generated code, against the oracle's.

    Raises:
        DifferenceError: they differ.
        OracleError: as ``features``.
    """
    difference = compare(found, features(model.read_bytes(), source, images, image))
    if difference:
        raise DifferenceError(f"--verify: {difference}")


def origin(golden: Path | None) -> str:
    """Whose the golden vectors are, once they were verified."""
    inputs = "noise" if golden is None else f"the inputs of {golden.name}"
    return f"this project's own code on {inputs}, equal to TensorFlow Lite Micro's"


def compare(found: Array, expected: Array) -> str:
    """What differs between features (N, F); empty where nothing does, reals but for rounding."""
    if found.dtype == np.float32:
        reals = expected.astype(np.float64)
        wrong = np.abs(found.astype(np.float64) - reals) > 1e-4 * (1 + np.abs(reals))
    else:
        wrong = found != expected
    if not wrong.any():
        return ""
    where = [tuple(int(n) for n in place) for place in np.argwhere(wrong)[:SHOWN]]
    shown = ", ".join(f"{place}: {found[place]}, not {expected[place]}" for place in where)
    return (
        f"{int(wrong.sum())} of {wrong.size} features differ from TensorFlow Lite Micro's, in "
        f"{int(wrong.any(axis=1).sum())} of {len(wrong)} inputs; the first are {shown}"
    )


def _not_run(model: bytes) -> str:
    """Why the oracle would give other numbers than the file means; empty where it would not."""
    graph = parse(model)
    if any(op.kind == "SPACE_TO_BATCH_ND" for op in graph.ops):
        return "its SPACE_TO_BATCH_ND, a part of dilated convolutions, pads with the code 0"
    outputs = [graph.tensors[i] for op in graph.ops for i in op.outputs]
    activations = [tensor for tensor in outputs if tensor.dtype in ("int8", "float32")]
    if graph.input.open_axes and any(set(tensor.open_axes) - {0} for tensor in activations):
        return "an open batch is a part of other axes inside: convert it with batch_size=1"
    return ""


def ending_at(model: bytes, tensor: int) -> bytes:
    """The same file with ``tensor`` as its first output, in place."""
    subgraph = Table.root(model, IDENTIFIER).tables(2, 1 << 14)[0]
    altered = bytearray(model)
    struct.pack_into("<i", altered, subgraph.start_of(2), tensor)
    return bytes(altered)


def as_given(pixels: Array, image: Tensor, dtype: np.dtype[np.generic]) -> Array:
    """An input as the file takes it: the reals, codes or bytes that codes of ``image`` stand for."""
    if pixels.dtype == dtype:
        return pixels
    codes = pixels.astype(np.int64)
    return to_reals(image, codes) if dtype == np.float32 else (codes + BYTE_OFFSET).astype(dtype)
