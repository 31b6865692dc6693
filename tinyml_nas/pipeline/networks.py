"""Torch networks between stages: their files, and the figures that travel with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json

if TYPE_CHECKING:
    from tinyml_nas.network.base import Network
    from tinyml_nas.network.spec import NetworkSpec


def load_network(folder: Path) -> Network:
    """A network that ``save_network`` wrote, in evaluation mode.

    Raises:
        NetworkFileError: its files are damaged.
        OwnNetworkError: it is a user's own, and its code is not what it was.
    """
    from tinyml_nas.network import files, user

    if (folder / user.MODULE_FILE).is_file():
        return user.load(folder)
    return files.load(folder)


def save_network(network: Network, folder: Path, validation: Split) -> dict[str, Json]:
    """Write the network into ``folder``; what ``TorchModel`` says of it, as JSON.

    Of a user's own only its ``accuracy``: what it costs its flatbuffer will tell.
    """
    from tinyml_nas.network import user
    from tinyml_nas.network.files import save
    from tinyml_nas.network.module import StaticNetwork, spec_of
    from tinyml_nas.training import loop as training

    if isinstance(network, user.UserNetwork):
        user.save(network, folder)
        return {"accuracy": training.accuracy(network, validation.load())}
    assert isinstance(network, StaticNetwork)
    save(network, folder)
    spec = spec_of(network)
    return {
        "accuracy": training.accuracy(network, validation.load()),
        "resolution": spec.resolution,
        **sizes_of(spec),
    }


def sizes_of(spec: NetworkSpec) -> dict[str, Json]:
    """What ``TorchModel`` says of how large the network is."""
    from tinyml_nas.network.cost import layers, thesis_size_bytes

    costs = list(layers(spec))
    return {
        "size_bytes": thesis_size_bytes(spec),
        "parameters": sum(layer.parameters for layer in costs),
        "macs": sum(layer.macs for layer in costs),
    }
