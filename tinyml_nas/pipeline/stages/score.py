"""Score the program as it ships, before it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codegen import durable
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import PREDICTED_FILE, samples
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def score(
    folder: Path,
    work: Path,
    *,
    project: Artifact,
    features: Artifact,
    images: Split,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """Top-1 ``accuracy`` in [0, 1]; ``features`` are what ``observe`` made of ``images``.

    ``predicted.npy`` has the class (N,) that the program takes each image for.
    """
    field = samples(features, images)
    predicted = compiler.model(project.path).predict(field.features)
    with durable.replacing(folder / PREDICTED_FILE) as aside:
        np.save(aside, predicted)
    return {"accuracy": float((predicted == field.labels).mean())}
