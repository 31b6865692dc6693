"""Features of a split, as the device's extractor computes them: what learners see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen import durable
from scenarios.field import Samples
from tinyml_nas.pipeline.split import Split
from tinyml_nas.types import Artifact

FILE = "features.npy"
PREDICTED_FILE = "predicted.npy"
"""The classes (N,) that a program takes the images of a split for."""


def save_features(features: npt.NDArray[np.generic], folder: Path) -> None:
    """Write features (N, F) into ``folder``."""
    with durable.replacing(folder / FILE) as aside:
        np.save(aside, features)


def samples(features: Artifact, images: Split) -> Samples:
    """Stored features of ``images``, and the labels of these."""
    stored = np.load(features.path / FILE, allow_pickle=False)
    return Samples(stored, images.load().labels)
