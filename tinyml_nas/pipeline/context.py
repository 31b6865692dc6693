"""What every stage is given: the study, the store, and the images."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tinyml_nas.store.entries import Build, Entry, Json, Key, Store
from tinyml_nas.study import Study
from tinyml_nas.types import Artifact, Images, SplitName

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """A study at work. ``digests`` collects what each stage gave, for the result's provenance."""

    study: Study
    store: Store
    digests: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        name: str,
        build: Build,
        config: Json = None,
        inputs: Mapping[str, str] | None = None,
        version: int = 1,
    ) -> Entry:
        """The stage's entry, from the store where it has run before. See ``store.Key``."""
        seconds = -1.0

        def timed(folder: Path, work: Path) -> Mapping[str, Json]:
            nonlocal seconds
            _log.info("%s: running", name)
            started = time.monotonic()
            value = build(folder, work)
            seconds = time.monotonic() - started
            return value

        entry = self.store.get(Key(name, version, config, inputs or {}), timed)
        done = "taken from the store" if seconds < 0 else f"done in {seconds:.1f} s"
        _log.info("%s: %s", name, done)
        self.digests[name] = entry.digest
        return entry

    def images(self, split: SplitName) -> Images:
        """One split of the study's data set."""
        return _load(self.study.dataset, split)

    @property
    def data(self) -> dict[str, str]:
        """The data set, as an input of a key."""
        return {"dataset": self.study.dataset.digest()}


def deliver(artifact: Artifact, destination: Path) -> None:
    """Copy a folder out of the store, aside and renamed; replaces an older one."""
    aside = destination.with_name(f".{destination.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(artifact.path, aside)
    shutil.rmtree(destination, ignore_errors=True)
    aside.rename(destination)


@lru_cache(maxsize=3)
def _load(dataset: Any, split: SplitName) -> Images:
    images: Images = dataset.split(split)
    return images
