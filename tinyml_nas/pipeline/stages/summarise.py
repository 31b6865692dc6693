"""Summarise what the factory saw: moments of the training features, for learners that start from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codegen import durable
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import track
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact, Extractor


def summarise(
    folder: Path,
    work: Path,
    *,
    program: Artifact,
    extractor: Extractor,
    images: Split,
    rows: tuple[int, ...] | None,
    most_images: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """``statistics.npz`` of the features of up to ``most_images`` images, by the generated ``program``.

    ``rows`` are the classes that the head knows, None for all, and only their images count; where it
    knows none, all images do, and there are no class means.
    """
    from codegen.learners.statistics import FILE, statistics_of

    model = compiler.model(program.path)
    given = images.load()
    if rows:
        given = given[np.flatnonzero(np.isin(given.labels, rows))]
    given = given[:most_images]
    batches = np.array_split(np.arange(len(given)), max(1, len(given) // 100))
    found = []
    for batch in track(batches, "moments of the training features"):
        inputs = device_inputs(given[batch], model.shape.image[0], extractor.dtype, extractor.seen)
        found.append(model.features(inputs))
    features = np.concatenate(found).astype(np.float64)
    if extractor.dtype == "int8":
        features = float(np.float32(extractor.scale)) * (features - extractor.zero_point)
    classes = tuple(range(images.dataset.classes)) if rows is None else rows
    statistics = statistics_of(features, given.labels, classes)
    with durable.replacing(folder / FILE) as aside:
        statistics.write(aside)
    return {"images": len(given)}
