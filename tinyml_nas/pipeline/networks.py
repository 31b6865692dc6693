"""Torch networks between stages: their files, and the figures that travel with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json

if TYPE_CHECKING:
    from tinyml_nas.network.module import StaticNetwork


def save_network(network: StaticNetwork, folder: Path, validation: Split) -> dict[str, Json]:
    """Write the network into ``folder``; what ``TorchModel`` says of it, as JSON."""
    from tinyml_nas.network.cost import layers, thesis_size_bytes
    from tinyml_nas.network.files import save
    from tinyml_nas.network.module import spec_of
    from tinyml_nas.training import loop as training

    save(network, folder)
    spec = spec_of(network)
    costs = list(layers(spec))
    return {
        "accuracy": training.accuracy(network, validation.load()),
        "size_bytes": thesis_size_bytes(spec),
        "resolution": spec.resolution,
        "parameters": sum(layer.parameters for layer in costs),
        "macs": sum(layer.macs for layer in costs),
    }
