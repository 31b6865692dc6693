"""Compute what the device's extractor makes of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.features import save_features
from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import track
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact, Extractor


def observe(
    folder: Path,
    work: Path,
    *,
    program: Artifact,
    extractor: Extractor,
    images: Split,
    checked_images: int,
    compiler: HostCompiler,
) -> dict[str, Json]:
    """Features (N, F) of ``images`` by the generated ``program``, built for this host.

    Those of the first ``checked_images`` are compared with the reference interpreter's.

    Raises:
        OracleError: they differ.
    """
    from tinyml_nas.conversion import oracle
    from tinyml_nas.design.split import EXTRACTOR_FILE

    model = compiler.model(program.path)
    inputs = device_inputs(images.load(), model.shape.image[0], extractor.dtype, extractor.seen)
    batches = np.array_split(inputs, max(1, len(inputs) // 100))
    rows = [model.features(batch) for batch in track(batches, f"features of {images.name}")]
    features = np.concatenate(rows)
    tflite = extractor.artifact.path / EXTRACTOR_FILE
    oracle.check(features[:checked_images], oracle.features(tflite, inputs[:checked_images]))
    save_features(features, folder)
    return {}
