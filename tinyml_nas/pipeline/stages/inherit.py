"""Make a network of the search space a network of its own, with the supernet's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyml_nas.pipeline.networks import save_network
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.supernet.checkpoint import UNTRAINED
from tinyml_nas.supernet.spaces import AnySpace
from tinyml_nas.types import Artifact


def inherit(
    folder: Path,
    work: Path,
    *,
    supernet: AnySpace,
    checkpoint: Artifact | None,
    genes: tuple[int, ...],
    classes: int,
    train: Split,
    validation: Split,
) -> dict[str, Json]:
    """The network of ``genes``; see ``save_network``."""
    from tinyml_nas.supernet.files import load_supernet
    from tinyml_nas.supernet.inherit import inherit as network_of

    path = UNTRAINED if checkpoint is None else str(checkpoint.path)
    weights = load_supernet(replace(supernet, checkpoint=path), classes, train.dataset.class_names)
    network = network_of(weights, np.array(genes, dtype=np.int64), train.load())
    return save_network(network, folder, validation)
