"""A study: every plug-in that a run is made of, built and checked, and nothing left to look up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Task = Literal["deploy", "train_supernet"]


@dataclass(frozen=True)
class ProjectSettings:
    """How the C++ project is generated and checked.

    Args:
        name: Name of the CMake project; letters, digits and underscores.
        golden_images: Test images whose features travel with the project's self-test.
        oracle_images: Test images whose features, computed by the C++ on this host, are compared
            byte by byte with the reference interpreter's.
    """

    name: str = "tinyml_model"
    golden_images: int = 4
    oracle_images: int = 100

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isidentifier()):
            raise ValueError(
                "project.name: must be letters, digits and underscores, not starting with a "
                f"digit; got {self.name!r}"
            )
        for key in ("golden_images", "oracle_images"):
            if getattr(self, key) < 1:
                raise ValueError(f"project.{key}: must be at least 1; got {getattr(self, key)}")


@dataclass(frozen=True)
class Study:
    """What a run does. Each plug-in satisfies the ``Protocol`` in its group's ``base.py``.

    ``output_dir`` is this run's own folder; ``store_dir`` is shared by all runs. ``baseline`` is
    the learner that ``learner`` is compared with. ``network`` is a trained network
    that takes the place of the search and of all training. ``overrides`` is what the command line said.
    """

    task: Task
    seed: int
    output_dir: Path
    store_dir: Path
    overrides: tuple[str, ...]
    network: str | None
    dataset: Any
    device: Any
    supernet: Any
    train_supernet: Any
    search: Any
    finetune: Any
    pruning: Any
    quantizer: Any
    memory: Any
    learner: Any
    baseline: Any
    scenario: Any
    project: ProjectSettings
