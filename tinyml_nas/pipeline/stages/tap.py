"""Give the head of a trained network more to read."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact

LOOKED_AT_IMAGES = 500


def tap(
    folder: Path, work: Path, *, network: Artifact, taps: tuple[int, ...], folded: int, train: Split
) -> dict[str, Json]:
    """The network with its new head, which says what the old one did; and its sizes."""
    from tinyml_nas.network.files import load, save
    from tinyml_nas.network.module import spec_of
    from tinyml_nas.network.tapping import tapped
    from tinyml_nas.pipeline.networks import sizes_of

    whole = load(network.path)
    images = network_inputs(train.load()[:LOOKED_AT_IMAGES], whole.resolution)
    made = tapped(whole, taps, folded, images)
    save(made, folder)
    return sizes_of(spec_of(made))
