"""Make a trained network smaller: Φ, before it is trained on."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.networks import save_network
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pruning.base import Pruning
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def prune(
    folder: Path, work: Path, *, network: Artifact, pruning: Pruning, validation: Split
) -> dict[str, Json]:
    """The smaller network; see ``save_network``."""
    from tinyml_nas.network.cost import thesis_size_bytes
    from tinyml_nas.network.files import load

    smaller = pruning.prune(load(network.path), thesis_size_bytes)
    return save_network(smaller, folder, validation)
