"""A generated network without a head, built for this computer and driven from NumPy."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.toolchain import library

Array = npt.NDArray[np.generic]


def run(project: Path, inputs: Array, outputs: int, dtype: str) -> Array:
    """Outputs (N, ``outputs``) of ``inputs`` (N, ...), which have the network's own dtype.

    Raises:
        ToolchainError: there is no C++ compiler, or it refused the project.
    """
    loaded = ctypes.CDLL(str(library.build(project, project / "build" / "host").resolve()))
    given = np.ascontiguousarray(inputs)
    out = np.empty((len(given), outputs), dtype)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (given, out)]
    loaded.tinyml_run(pointers[0], ctypes.c_int(len(given)), pointers[1])
    return out
