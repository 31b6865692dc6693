"""The reference that the generated program must agree with: TensorFlow Lite Micro's own kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.progress import track

ARENA_BYTES = 16 << 20
PRESERVING_ARENA_BYTES = 64 << 20  # no activation gives its place to another
FLOAT_TOLERANCE = 1e-3
"""Float sums may be taken in another order; int8 features must be equal byte by byte."""


class OracleError(RuntimeError):
    """The generated program computes other features than the reference."""


def features(tflite: Path, inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Features (N, F) of ``inputs`` (N, H, W, C), both in the extractor's own dtype."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(tflite), arena_size=ARENA_BYTES)
    rows = []
    for image in track(inputs, "reference features"):
        interpreter.set_input(image[np.newaxis], 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).reshape(-1).copy())
    return np.stack(rows)


def tensors(
    tflite: bytes, inputs: npt.NDArray[np.int8], indices: Sequence[int]
) -> Iterator[list[npt.NDArray[np.int8]]]:
    """For each of ``inputs`` (N, H, W, C) the activations ``indices`` of an int8 flatbuffer."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(
        tflite,
        arena_size=PRESERVING_ARENA_BYTES,
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )
    for image in inputs:
        interpreter.set_input(image[np.newaxis], 0)
        interpreter.invoke()
        yield [interpreter.GetTensor(index, 0)["tensor_data"].copy() for index in indices]


def check(computed: npt.NDArray[np.generic], reference: npt.NDArray[np.generic]) -> None:
    """Compare features (N, F) of the generated program with the reference's.

    Raises:
        OracleError: saying in how many images they differ.
    """
    if computed.dtype == np.int8:
        differ = computed != reference
    else:
        differ = ~np.isclose(computed, reference, rtol=FLOAT_TOLERANCE, atol=FLOAT_TOLERANCE)
    if differ.any():
        raise OracleError(
            f"the generated program and tflite-micro disagree on {differ.any(axis=1).sum()} of "
            f"{len(computed)} images, first on image {int(differ.any(axis=1).argmax())}; this is a "
            "defect of codegen: keep the project and report it"
        )
