"""Golden vectors of a model whose oracle is not at hand: inputs, and what its own code makes of them.

The self-test of such a project shows that the board computes the same bytes as the computer.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.arrays import ArrayFileError, read_npy
from codegen.emit.emitter import emit
from codegen.ir import Tensor
from codegen.limits import MOST_FEATURE
from codegen.ops.quantize import to_codes
from codegen.project import Golden, Project
from codegen.toolchain.host import HostModel

Array = npt.NDArray[np.generic]
GENERATED = 4
MOST_IMAGES = 1000  # they are compiled into the self-test


class GoldenError(ValueError):
    """Images or features that do not fit the model; the message names the file."""


def load_images(
    path: Path, source: Tensor, option: str = "--golden", most: int | None = MOST_IMAGES
) -> Array:
    """Images (N, H, W, C) from a ``.npy`` file, in the model's own dtype.

    Reals are quantized for a model of codes. Bytes are refused: how a pixel becomes a code is the
    model's own affair.

    Raises:
        GoldenError: the file does not hold such images, or more than ``most``.
    """
    images = _load(option, path)
    if images.ndim != 4 or images.shape[1:] != source.shape[1:] or not len(images):
        wanted = ", ".join(map(str, source.shape[1:]))
        raise GoldenError(f"{option}: {path}: must be (N, {wanted}); it is {images.shape}")
    if most is not None and len(images) > most:
        raise GoldenError(
            f"{option}: {path}: must hold at most {most} images, which are compiled into "
            f"the self-test; it holds {len(images)}"
        )
    if images.dtype == np.float32 and not np.isfinite(images.astype(np.float32)).all():
        raise GoldenError(f"{option}: {path}: must hold finite numbers only")
    if images.dtype == np.dtype(source.dtype):
        return images
    if images.dtype == np.float32 and source.dtype == "int8":
        with np.errstate(over="ignore"):  # what is far outside becomes the last code
            return to_codes(source, images.astype(np.float32))
    allowed = "int8 codes, or float32 reals" if source.dtype == "int8" else "float32"
    raise GoldenError(f"{option}: {path}: must hold {allowed}; it holds {images.dtype}")


def load_features(path: Path, count: int, output: Tensor) -> Array:
    """Features (N, F) from a ``.npy`` file, as an oracle gave them for ``count`` images.

    Raises:
        GoldenError: the file does not hold such features.
    """
    features = _load("--golden-features", path)
    shape = count, output.elements
    if features.shape != shape or features.dtype != np.dtype(output.dtype):
        raise GoldenError(
            f"--golden-features: {path}: must be {output.dtype} {shape}; "
            f"it is {features.dtype} {features.shape}"
        )
    return _learnable(features, f"--golden-features: {path}")


def generated_images(source: Tensor, count: int = GENERATED) -> Array:
    """A few images of noise: every code, or reals around zero."""
    rng = np.random.default_rng(0)
    shape = count, *source.shape[1:]
    if source.dtype == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    return rng.integers(-128, 128, shape).astype(np.int8)


def host_features(project: Project, images: Array, origin: str = "the golden images") -> Array:
    """What the project's own code, built for this computer, makes of ``images``, which are from ``origin``.

    Raises:
        ToolchainError: there is no C++ compiler, or it refused the project.
    """
    empty = np.zeros((1, project.head.features), project.graph.output.dtype)
    small = min(1, project.buffer_samples)  # features do not depend on the buffer
    with tempfile.TemporaryDirectory(prefix="tinyml-") as scratch:
        draft = Path(scratch) / "project"
        emit(replace(project, golden=Golden(images[:1], empty), buffer_samples=small), draft)
        return _learnable(HostModel(draft).features(images), f"the model on {origin}")


def _learnable(features: Array, origin: str) -> Array:
    """``features``, if a learner takes them: finite, and not too large."""
    if not np.all(np.abs(features.astype(np.float64)) <= MOST_FEATURE):  # a NaN is not, either
        raise GoldenError(
            f"{origin}: gives features that are not finite, or beyond {MOST_FEATURE:g}: the device "
            "would refuse to learn from them"
        )
    return features


def _load(option: str, path: Path) -> Array:
    try:
        return read_npy(path)
    except ArrayFileError as error:
        raise GoldenError(f"{option}: {error}") from error
