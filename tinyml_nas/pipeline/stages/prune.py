"""Make a trained network smaller: Φ, before it is trained on."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.networks import save_network
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pruning.base import Limits, Pruning, Room, Step
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def prune(
    folder: Path,
    work: Path,
    *,
    network: Artifact,
    pruning: Pruning,
    room: Room | None,
    whole_bytes: int,
    step: int,
    train: Split,
    validation: Split,
    seed: int,
) -> dict[str, Json]:
    """The smaller network; see ``save_network``.

    ``whole_bytes`` is what the network had before the first ``step``. Without ``room`` the result
    depends on no board.
    """
    from tinyml_nas.network.cost import thesis_size_bytes
    from tinyml_nas.network.files import load

    limits = Limits(thesis_size_bytes, room)
    whole = load(network.path)
    smaller = pruning.prune(whole, limits, Step(whole_bytes, train.load(), seed, step))
    return save_network(smaller, folder, validation)
