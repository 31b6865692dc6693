"""Score a float network."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def accuracy(folder: Path, work: Path, *, network: Artifact, images: Split) -> dict[str, Json]:
    """Top-1 ``accuracy`` in [0, 1] on ``images``."""
    from tinyml_nas.network.files import load
    from tinyml_nas.training import loop as training

    return {"accuracy": training.accuracy(load(network.path), images.load())}
