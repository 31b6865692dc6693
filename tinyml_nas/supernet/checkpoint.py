"""Where a supernet's trained weights lie. Without torch, so that a run can name them at once."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.network.pretrained import imagenet_file
from tinyml_nas.store.paths import is_file
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.spaces import AnySpace

UNTRAINED = "untrained"
"""Names no file: the weights are drawn from a seed, for a network that is trained from nothing."""

SHIPPED = Path(__file__).parent / "checkpoints"
DATA = ()  # a stage is given the checkpoint itself


class CheckpointError(ValueError):
    """A supernet's checkpoint is missing, damaged, or of another space."""


def checkpoint_path(space: AnySpace) -> Path | None:
    """Where the space's checkpoint lies: a shipped one by its name, or any path; None if ``UNTRAINED``.

    A space that starts from ImageNet has those weights where it names none.

    Raises:
        CheckpointError: the space has no checkpoint, or the file is not there.
        PretrainingError: it starts from ImageNet, and their package is not installed.
    """
    if not space.checkpoint:
        if isinstance(space, Lite0Space):
            return imagenet_file()
        raise CheckpointError(
            "supernet.checkpoint: this supernet has no trained weights; train them with "
            "task=train_supernet supernet=<name> dataset=cifar10 and give the path, or train a network "
            f"from nothing with {UNTRAINED}"
        )
    if space.checkpoint == UNTRAINED:
        if isinstance(space, Lite0Space):
            raise CheckpointError(
                f"supernet.checkpoint: this supernet starts from ImageNet's weights, never {UNTRAINED}; "
                "null takes them as they are"
            )
        return None
    shipped = SHIPPED / f"{space.checkpoint}.safetensors"
    path = shipped if is_file(shipped) else Path(space.checkpoint).expanduser()
    if not is_file(path):
        raise CheckpointError(
            f"supernet.checkpoint: no file {path}, and no shipped checkpoint of the name "
            f"{space.checkpoint!r}; shipped: {shipped_names()}"
        )
    return path


def start_path(space: AnySpace) -> Path | None:
    """The weights that a space's training starts from, if there are any.

    Raises:
        PretrainingError: they are ImageNet's, and their package is not installed.
    """
    return imagenet_file() if isinstance(space, Lite0Space) else None


def shipped_names() -> str:
    """Names of the checkpoints in the package."""
    return ", ".join(sorted(path.stem for path in SHIPPED.glob("*.safetensors"))) or "none"
