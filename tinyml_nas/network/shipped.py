"""Networks that come trained: a folder each, by its name or by its path. Without torch."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml_nas.store.paths import is_file, is_folder

SPEC_FILE, WEIGHTS_FILE = FILES = ("spec.json", "weights.safetensors")
SHIPPED = Path(__file__).parent / "shipped"
DATA = ()  # a stage is given the network itself


class NoSuchNetworkError(ValueError):
    """A network was asked for that is neither shipped nor a folder."""


def network_folder(name: str) -> Path:
    """The folder of a shipped network, or of one that a run left in ``outputs/NAME/network``.

    Raises:
        NoSuchNetworkError: there is neither.
    """
    shipped = SHIPPED / name
    folder = shipped if is_folder(shipped) else Path(name).expanduser()
    if not is_folder(folder):
        raise NoSuchNetworkError(
            f"network: no folder {folder}, and no shipped network of that name; shipped: "
            f"{shipped_names()}; null searches one"
        )
    return folder


def check_network(name: str, classes: int) -> None:
    """Refuse a network that is not there, not whole, or for another number of classes.

    Raises:
        NoSuchNetworkError: naming the folder or file.
    """
    folder = network_folder(name)
    for file in FILES:
        if not is_file(folder / file):
            raise NoSuchNetworkError(
                f"network: {folder} is no network's folder: it has no {file}; a run leaves one in "
                "its own folder, network/"
            )
    try:
        has = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))["classes"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoSuchNetworkError(f"network: {folder / FILES[0]}: damaged ({error})") from error
    if has != classes:
        raise NoSuchNetworkError(
            f"network: {folder} tells {has} classes apart, and the data set has {classes}"
        )


def shipped_names() -> str:
    """Names of the networks in the package."""
    return ", ".join(sorted(path.name for path in SHIPPED.glob("*"))) or "none"
