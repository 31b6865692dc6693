"""Networks that come trained: a folder each, by its name or by its path. Without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tinyml_nas.store.paths import is_file, is_folder

SPEC_FILE, WEIGHTS_FILE = FILES = ("spec.json", "weights.safetensors")
DATA = ()  # a stage is given the network itself


class NoSuchNetworkError(ValueError):
    """A network was asked for that is neither shipped nor a folder, or is not what is needed."""


@dataclass(frozen=True)
class Shelf:
    """The networks of the package that ``key`` may name, beside those in any other folder.

    ``way_out`` says what else there is to do than to name one.
    """

    key: str
    root: Path
    way_out: str

    @property
    def names(self) -> tuple[str, ...]:
        """What is in the package."""
        return tuple(sorted(path.name for path in self.root.glob("*")))

    def folder(self, name: str) -> Path:
        """The folder of a shipped network, or of one that a run left.

        Raises:
            NoSuchNetworkError: there is neither.
        """
        shipped = self.root / name
        folder = shipped if is_folder(shipped) else Path(name).expanduser()
        if not is_folder(folder):
            raise NoSuchNetworkError(
                f"{self.key}: no folder {folder}, and no shipped network of that name; shipped: "
                f"{', '.join(self.names) or 'none'}; {self.way_out}"
            )
        return folder

    def check(self, name: str, classes: int) -> None:
        """Refuse a network that is not there, not whole, or for another number of classes.

        Raises:
            NoSuchNetworkError: naming the folder or file.
        """
        folder = self.folder(name)
        for file in FILES:
            if not is_file(folder / file):
                raise NoSuchNetworkError(
                    f"{self.key}: {folder} is no network's folder: it has no {file}; {self.way_out}"
                )
        path = folder / SPEC_FILE
        try:
            has = json.loads(path.read_text(encoding="utf-8"))["classes"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoSuchNetworkError(f"{self.key}: {path}: damaged ({error})") from error
        if has != classes:
            raise NoSuchNetworkError(
                f"{self.key}: {folder} tells {has} classes apart, and the data set has {classes}"
            )


NETWORKS = Shelf(
    key="network",
    root=Path(__file__).parent / "shipped",
    way_out="a run leaves one in its own folder, network/; null searches one",
)
TEACHERS = Shelf(
    key="recipe.teacher",
    root=Path(__file__).parent / "teachers",
    way_out="'python run.py task=train_teacher dataset=cifar10' trains one",
)
