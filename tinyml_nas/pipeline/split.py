"""The images that a stage is given: one split of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tinyml_nas.data.base import Dataset
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Images, SplitName


@dataclass(frozen=True)
class Split:
    """One split of a data set; a stage that is given it can read no other."""

    dataset: Dataset
    name: SplitName

    def content_id(self) -> Json:
        """The data set's digest, which stands for every pixel and label, and the split."""
        return {"dataset": self.digest, "split": self.name}

    @property
    def digest(self) -> str:
        """The data set's."""
        return self.dataset.digest()

    def load(self) -> Images:
        """The images, read once in a process."""
        return _load(self.dataset, self.name)  # type: ignore[arg-type]  # frozen, so hashable


@lru_cache(maxsize=3)
def _load(dataset: Dataset, name: SplitName) -> Images:
    return dataset.split(name)
