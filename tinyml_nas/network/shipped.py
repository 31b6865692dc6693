"""Networks that come trained: a folder each, by its name or by its path. Without torch."""

from __future__ import annotations

from pathlib import Path

FILES = ("spec.json", "weights.safetensors")
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
    folder = shipped if shipped.is_dir() else Path(name).expanduser()
    if not folder.is_dir():
        raise NoSuchNetworkError(
            f"network: no folder {folder}, and no shipped network of that name; shipped: "
            f"{shipped_names()}; null searches one"
        )
    return folder


def shipped_names() -> str:
    """Names of the networks in the package."""
    return ", ".join(sorted(path.name for path in SHIPPED.glob("*"))) or "none"
