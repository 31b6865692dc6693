"""``doctor``: what is here, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.toolchain.run import PACKAGES

GB = 1e9
LEAST_FREE_BYTES = 1e9
"""The stages of six runs on the embedded images took 62 MB; checkpoints and larger data take more."""
LIBRARIES = ("torch", "tensorflow-cpu", "keras", "hydra-core", "ai-edge-litert", "plotly")
BROWSERS = ("chromium-headless-shell", "chromium")
DATA = {
    "cifar-10-batches-bin": "CIFAR-10: `dataset=cifar10` downloads it where there is a network",
    "imagenette2-96": "Imagenette: unpack imagenette2 there at 96 pixels, for `dataset=imagenette`",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` says how to get what is missing, ``needed`` whether runs fail without."""

    name: str
    found: str | None
    remedy: str
    needed: bool = True


def run(arguments: Sequence[str]) -> None:
    """Print every finding; exit status 1 where something is missing that every run needs."""
    if arguments:
        sys.stderr.write(f"error: doctor takes no arguments; got {' '.join(arguments)}\n")
        sys.exit(2)
    found = list(findings())
    for one in found:
        mark = "ok     " if one.found else "MISSING" if one.needed else "absent "
        text = one.found or one.remedy
        sys.stdout.write(f"{mark} {one.name:<26} {text}\n")
    missing = [one.name for one in found if one.needed and not one.found]
    if missing:
        sys.stdout.write(f"\nno run can end well without: {', '.join(missing)}\n")
        sys.exit(1)
    sys.stdout.write("\nruns can start; what is absent is needed for what it says only\n")


def findings() -> Iterator[Finding]:
    """All that there is to look at, the quick things only: no library is imported."""
    version = ".".join(map(str, sys.version_info[:3]))
    is_right = sys.version_info[:2] == (3, 11)
    yield Finding("Python", version if is_right else None, f"needs 3.11; this is {version}")
    for name in LIBRARIES:
        remedy = "pip install --constraint requirements.lock --editable ."
        yield Finding(name, _version(name), remedy, needed=name != "plotly")
    for program, package in PACKAGES.items():
        yield _program(program, package)
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    yield Finding(
        "browser for tests", browser, "apt-get install chromium-headless-shell", needed=False
    )
    yield from _data()
    yield _disk(Path("outputs"))
    yield _threads()


def _program(program: str, package: str) -> Finding:
    """A compiler or emulator, and its version; only the host's own compiler is needed by every run."""
    path, needed = shutil.which(program), program in ("g++", "cmake")
    purpose = "" if needed else f" (to {_purpose(program)})"
    if path is None:
        return Finding(program, None, f"apt-get install {package}{purpose}", needed)
    done = subprocess.run(
        [path, "--version"], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    first = done.stdout.splitlines()
    return Finding(program, first[0] if first else path, "", needed)


def _purpose(program: str) -> str:
    if program.startswith("arm"):
        return "build for boards and measure linked bytes"
    return "try the firmware without a board" if program.startswith("qemu") else "build in tests"


def _data() -> Iterator[Finding]:
    yield Finding("cifar10_sample", "6,000 images inside the package", "")
    root = Path(os.environ.get("TINYML_NAS_DATA", "~/.cache/tinyml-nas")).expanduser()
    for folder, remedy in DATA.items():
        place = root / folder
        found = str(place) if place.is_dir() else None
        yield Finding(folder, found, f"{remedy} (data.root={root})", needed=False)


def _disk(folder: Path) -> Finding:
    """Room where runs write; the folder may not exist yet."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / GB:.1f} GB free in {place}"
    if not os.access(place, os.W_OK):
        return Finding("disk", None, f"{place} cannot be written to; start in another folder")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", None, f"{text}; make room (`store prune`), or set store=DIR")
    return Finding("disk", text, "")


def _threads() -> Finding:
    """Processors that this process may use, and what bounds its threads."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    bound = os.environ.get("OMP_NUM_THREADS")
    text = f"{usable} processors" + (f", OMP_NUM_THREADS={bound}" if bound else "")
    return Finding("threads", text, "")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
