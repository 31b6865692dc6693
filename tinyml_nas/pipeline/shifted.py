"""A data set as it looks after a shift of what the camera shows."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.look import Look
from tinyml_nas.data.base import Dataset
from tinyml_nas.store.digest import describe, digest_of_json
from tinyml_nas.types import Images, SplitName


@dataclass(frozen=True)
class Shifted:
    """The images of ``dataset`` by another ``look``, with the same labels in the same order."""

    dataset: Dataset
    look: Look

    @property
    def classes(self) -> int:
        """As before."""
        return self.dataset.classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """As before."""
        return self.dataset.class_names

    def count(self, name: SplitName, label: int | None = None) -> int:
        """As before."""
        return self.dataset.count(name, label)

    def check(self) -> None:
        """Refuse what the data set refuses."""
        self.dataset.check()

    def digest(self) -> str:
        """SHA-256 over the data set's digest and the look."""
        return digest_of_json([self.dataset.digest(), describe(self.look)])

    def split(self, name: SplitName) -> Images:
        """One split as it looks now."""
        images = self.dataset.split(name)
        return Images(self.look.seen(images.pixels), images.labels)
