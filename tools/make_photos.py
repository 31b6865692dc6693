"""Write a folder of photographs as a user would have: a few of each of some classes of Imagenette.

    python -m tools.make_photos data.root PHOTOS --classes 5 --each 50 --seed 0

``train/`` gets photographs of the official training images, drawn with the seed, and ``test/`` all official
validation images of the same classes, as the JPEG files that they are.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np

from tinyml_nas.data.imagenette import CLASS_NAMES, Imagenette

SUFFIX = ".JPEG"


def write(source: Path, target: Path, classes: int, each: int, seed: int) -> None:
    """Copy ``each`` photographs of ``classes`` classes, drawn with ``seed``, and their test images.

    Raises:
        ValueError: there are not so many, or ``target`` is there already.
    """
    if target.exists():
        raise ValueError(f"{target} is there already; name a new folder")
    if not 2 <= classes <= len(CLASS_NAMES):
        raise ValueError(f"--classes: must be from 2 to {len(CLASS_NAMES)}; got {classes}")
    rng = np.random.default_rng(seed)
    synsets = sorted(CLASS_NAMES)
    for number in sorted(rng.choice(len(synsets), classes, replace=False)):
        synset = synsets[number]
        files = sorted((source / "train" / synset).glob(f"*{SUFFIX}"))
        if not 1 <= each <= len(files):
            raise ValueError(f"--each: must be from 1 to {len(files)}; got {each}")
        drawn = [files[index] for index in rng.choice(len(files), each, replace=False)]
        _copy(drawn, target / "train" / CLASS_NAMES[synset])
        _copy(
            sorted((source / "val" / synset).glob(f"*{SUFFIX}")),
            target / "test" / CLASS_NAMES[synset],
        )


def _copy(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / f"{path.stem}.jpg")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path, help="folder that holds imagenette2-96 (or --folder)")
    parser.add_argument("target", type=Path, help="new folder to write")
    parser.add_argument("--folder", default="imagenette2-96")
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        Imagenette(given.root, given.folder).check()
        write(given.root / given.folder, given.target, given.classes, given.each, given.seed)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
