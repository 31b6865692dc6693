"""What closed forms start from: moments of features of the user's own training images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from codegen import golden
from codegen.arrays import ArrayFileError, read_npy
from codegen.learners.statistics import Statistics, statistics_of
from codegen.learners.tybox import Tybox
from codegen.project import Project


def statistics(project: Project, images: Path, labels: Path) -> Statistics:
    """Moments of the features of ``images`` (N, H, W, C) with ``labels`` (N,), for ``project``'s learner.

    Features are computed by the project's own code, on this computer.

    Raises:
        ValueError: a file holds something else, or no sample of a class; the option is named.
        ToolchainError: there is no C++ compiler, or it refused the project.
    """
    classes = project.head.classes
    given = golden.load_images(images, project.graph.input, "--training-images", most=None)
    numbers = _labels(labels, len(given), classes)
    draft = replace(project, learner=Tybox(), buffer_samples=1)
    codes = golden.host_features(draft, given, "--training-images").astype(np.float64)
    quantization = project.graph.output.quantization
    if quantization is not None:
        codes = quantization.scales[0] * (codes - quantization.zero_points[0])
    try:
        return statistics_of(codes, numbers, range(classes))
    except ValueError as error:
        raise ValueError(f"--training-labels: {labels}: {error}") from None


def _labels(
    path: Path, count: int, classes: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    try:
        found = read_npy(path)
    except ArrayFileError as error:
        raise ValueError(f"--training-labels: {error}") from error
    if found.dtype.kind not in "iu" or found.shape != (count,):
        raise ValueError(
            f"--training-labels: {path}: must be whole numbers ({count},), one for each of "
            f"--training-images; it is {found.dtype} {found.shape}"
        )
    labels = found.astype(np.int64)
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"--training-labels: {path}: must be in 0..{classes - 1}; got {labels.min()}..{labels.max()}"
        )
    return labels
