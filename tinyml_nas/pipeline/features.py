"""Features of a split, as the device's extractor computes them: what learners see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen import durable
from scenarios.base import Scenario
from scenarios.field import Field, Samples, divide, paired
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


def divided(scenario: Scenario, features: Artifact, later: Artifact | None, images: Split) -> Field:
    """What a scenario draws from and scores on; ``later`` has features of the same images as they come to look."""
    fields = [
        divide(
            samples(found, images),
            images.dataset.classes,
            scenario.samples,
            scenario.curve_images,
        )
        for found in (features, later)
        if found is not None
    ]
    return fields[0] if later is None else paired(*fields)
