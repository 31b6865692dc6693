"""Take in a network that comes trained: a shipped one, or what another run left."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.networks import save_network
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def given(folder: Path, work: Path, *, network: Artifact, validation: Split) -> dict[str, Json]:
    """The same network; see ``save_network``.

    Raises:
        NetworkFileError: its files are damaged.
    """
    from tinyml_nas.network.files import load

    return save_network(load(network.path), folder, validation)
