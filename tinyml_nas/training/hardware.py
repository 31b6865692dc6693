"""What training ran on, for its record."""

from __future__ import annotations

import platform
from pathlib import Path

import torch


def hardware(device: torch.device) -> str:
    """The processor or GPU, threads and torch."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name()
    else:
        name = f"{processor()}, {torch.get_num_threads()} threads"
    return f"{name}, torch {torch.__version__}"


def device_named(name: str) -> torch.device:
    """Where a recipe's ``device`` is: ``auto`` is a GPU if there is one.

    Raises:
        ValueError: ``cuda`` was asked for, and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda":
        require_gpu()
    return torch.device(name)


def require_gpu() -> None:
    """Refuse to go on where torch sees no GPU.

    Raises:
        ValueError: naming the recipe's key.
    """
    if not torch.cuda.is_available():
        raise ValueError("recipe.device: cuda was asked for, and torch sees no GPU; use auto")


def processor() -> str:
    """The processor's name where Linux tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
