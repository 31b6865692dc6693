"""A data set without some of its classes: what a network has not seen, the device may still learn."""

from __future__ import annotations

import hashlib

import numpy as np

from tinyml_nas.types import Images

Classes = tuple[int, ...]


def check_classes(only: Classes | None, classes: int) -> None:
    """Refuse what is no choice of at least two of ``classes`` classes, in ascending order.

    Raises:
        ValueError: naming the config key.
    """
    if only is None:
        return
    rising = sorted(set(only)) == list(only)
    if len(only) < 2 or not rising or only[0] < 0 or only[-1] >= classes:
        raise ValueError(
            f"dataset.only_classes: must be null or at least two of the classes 0 to {classes - 1}, in "
            f"ascending order; got {list(only)}"
        )


def names_of(names: tuple[str, ...], only: Classes | None) -> tuple[str, ...]:
    """The names of the classes that are kept."""
    return names if only is None else tuple(names[number] for number in only)


def images_of(images: Images, only: Classes | None) -> Images:
    """The images of the classes that are kept, in their order; labels count these classes."""
    if only is None:
        return images
    kept = images[np.flatnonzero(np.isin(images.labels, only))]
    return Images(kept.pixels, np.searchsorted(only, kept.labels).astype(np.uint8))


def digest_of(digest: str, only: Classes | None) -> str:
    """What stands for the images that are kept, where ``digest`` stands for all."""
    if only is None:
        return digest
    return hashlib.sha256(f"{digest} {list(only)}".encode()).hexdigest()
