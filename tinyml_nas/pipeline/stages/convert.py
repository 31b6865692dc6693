"""Convert a torch network to Keras."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact

CHECKED_IMAGES = 1000
"""Images on which every conversion is compared with the torch network."""


def convert(folder: Path, work: Path, *, network: Artifact, images: Split) -> dict[str, Json]:
    """The same network in Keras: how far its logits lie from torch's, and on how many ``images``.

    Raises:
        ConversionError: the two networks do not compute the same.
    """
    from tinyml_nas.conversion.keras import convert as to_keras
    from tinyml_nas.network.files import load

    loaded = load(network.path)
    checked = network_inputs(images.load()[:CHECKED_IMAGES], loaded.resolution)
    converted = to_keras(loaded, checked, folder)
    return {"max_abs_error": converted.max_abs_error, "images": converted.images}
