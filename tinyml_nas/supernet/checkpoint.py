"""Where a supernet's trained weights lie. Without torch, so that a run can name them at once."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.store.paths import is_file
from tinyml_nas.supernet.space import MobileNetV3Space

SHIPPED = Path(__file__).parent / "checkpoints"
DATA = ()  # a stage is given the checkpoint itself


class CheckpointError(ValueError):
    """A supernet's checkpoint is missing, damaged, or of another space."""


def checkpoint_path(space: MobileNetV3Space) -> Path:
    """Where the space's checkpoint lies: a shipped one by its name, or any path.

    Raises:
        CheckpointError: the space has no checkpoint, or the file is not there.
    """
    if not space.checkpoint:
        raise CheckpointError(
            "supernet.checkpoint: this supernet has no trained weights; train them with "
            "task=train_supernet supernet=<name> dataset=cifar10 and give the path"
        )
    shipped = SHIPPED / f"{space.checkpoint}.safetensors"
    path = shipped if is_file(shipped) else Path(space.checkpoint).expanduser()
    if not is_file(path):
        raise CheckpointError(
            f"supernet.checkpoint: no file {path}, and no shipped checkpoint of the name "
            f"{space.checkpoint!r}; shipped: {shipped_names()}"
        )
    return path


def shipped_names() -> str:
    """Names of the checkpoints in the package."""
    return ", ".join(sorted(path.stem for path in SHIPPED.glob("*.safetensors"))) or "none"
