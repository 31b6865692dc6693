"""Score an extractor and its head as the files have them, before any program is made of them."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.inputs import device_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Extractor


def judge(folder: Path, work: Path, *, extractor: Extractor, images: Split) -> dict[str, Json]:
    """Top-1 ``accuracy`` in [0, 1]."""
    from tinyml_nas.conversion.inference import features
    from tinyml_nas.design.split import EXTRACTOR_FILE, split

    graph, head = split(extractor)
    shown = images.load()
    inputs = device_inputs(shown, graph.input.shape[1], extractor.dtype, extractor.seen)
    found = features(extractor.artifact.path / EXTRACTOR_FILE, inputs)
    predicted = (found @ head.weights.T + head.bias).argmax(1)
    return {"accuracy": float((predicted == shown.labels).mean())}
