"""NumPy's files, read so that a damaged one is named and nothing in it is ever run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]


class ArrayFileError(ValueError):
    """A file does not hold the arrays that it should; the message names it."""


def read_npy(path: Path) -> Array:
    """The array of an ``.npy`` file.

    Raises:
        ArrayFileError: it holds none, or another kind of file, or objects.
    """
    found = _read(path, ())
    if isinstance(found, dict):
        raise ArrayFileError(f"{path}: is an .npz archive; an .npy file with one array is needed")
    return found


def read_npy_or_npz(path: Path, names: tuple[str, ...]) -> Array | dict[str, Array]:
    """The array of an ``.npy`` file, or those of ``names`` from an ``.npz`` archive.

    Raises:
        ArrayFileError: it holds none, or not these, or objects.
    """
    return _read(path, names)


def _read(path: Path, names: tuple[str, ...]) -> Array | dict[str, Array]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                return _numbers(path, loaded)
            with loaded:
                return {name: _numbers(path, loaded[name]) for name in names}
    except ArrayFileError:
        raise
    except Exception as error:  # zipfile, zlib, ast and NumPy raise whatever damage leads them to
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        raise ArrayFileError(f"{path}: cannot be read as a NumPy file: {reason}") from error


def _numbers(path: Path, found: object) -> Array:
    """What an archive or a file holds, if it is an array of numbers: anything can be in a zip."""
    if isinstance(found, np.ndarray) and found.dtype.kind in "biuf":
        return found
    what = found.dtype if isinstance(found, np.ndarray) else type(found).__name__
    raise ArrayFileError(f"{path}: must hold arrays of numbers; it holds {what}")
