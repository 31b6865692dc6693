"""A study: every plug-in that a run is made of, built and checked, and nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codegen.boards.board import Board
from codegen.learners.base import Learner
from scenarios.auto import Auto, candidates_of
from scenarios.base import Order, Scenario
from scenarios.worlds.none import NoScenario
from tinyml_nas.data.base import Dataset
from tinyml_nas.design.memory.base import MemoryModel
from tinyml_nas.design.taps.auto import AutoTaps
from tinyml_nas.design.taps.base import Taps
from tinyml_nas.network.own import OwnInput
from tinyml_nas.pruning.base import Pruning
from tinyml_nas.quantization.base import Quantizer
from tinyml_nas.search.base import Strategy
from tinyml_nas.supernet.spaces import AnySpace
from tinyml_nas.tracking.base import Tracker
from tinyml_nas.training.recipes import FinetuneRecipe, SupernetRecipe, TeacherRecipe
from tinyml_nas.types import DataCounts

Task = Literal["deploy", "train_supernet", "train_teacher"]
LONGEST_NAME = 64  # it becomes part of the names of files


@dataclass(frozen=True)
class ProjectSettings:
    """How the C++ project is generated and checked.

    Args:
        name: Name of the CMake project; letters, digits and underscores.
        golden_images: Test images whose features travel with the project's self-test.
        oracle_images: Test images whose features, computed by the C++ on this host, are compared
            byte by byte with the reference interpreter's.
        overwrite: Give up what was edited in the project that an earlier run left; files that were
            added to it are kept in any case.
    """

    name: str = "tinyml_model"
    golden_images: int = 4
    oracle_images: int = 100
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isidentifier()) or len(self.name) > LONGEST_NAME:
            raise ValueError(
                f"project.name: must be up to {LONGEST_NAME} letters, digits and underscores, not "
                f"starting with a digit; got {self.name!r}"
            )
        for key in ("golden_images", "oracle_images"):
            if getattr(self, key) < 1:
                raise ValueError(f"project.{key}: must be at least 1; got {getattr(self, key)}")

    def check(self, data: DataCounts) -> None:
        """Refuse to take more images than there are; reads no data.

        Raises:
            ValueError: naming the config key.
        """
        for key in ("golden_images", "oracle_images"):
            if getattr(self, key) > data.count("test"):
                raise ValueError(
                    f"project.{key}: must be at most {data.count('test')}, the test images that "
                    f"there are; got {getattr(self, key)}"
                )


@dataclass(frozen=True)
class Study:
    """What a run does, in plug-ins by their Protocols.

    ``output_dir`` is this run's own folder; ``store_dir`` is shared by all runs. Networks are trained on ``dataset``;
    the device works in ``field``. ``baseline`` is the learner that ``learner`` is compared with.
    ``network`` is a trained network that takes the place of the search and of all training, unless it is a torch module
    of the user's own and ``network_finetune`` wants it trained on; ``network_input`` says what images those take.
    ``overrides`` is what the command line said.
    """

    task: Task
    seed: int
    output_dir: Path
    store_dir: Path
    overrides: tuple[str, ...]
    network: str | None
    network_input: OwnInput
    network_finetune: bool
    dataset: Dataset
    field: Dataset
    device: Board
    supernet: AnySpace
    train_supernet: SupernetRecipe
    train_teacher: TeacherRecipe
    search: Strategy
    finetune: FinetuneRecipe
    pruning: Pruning
    taps: Taps | AutoTaps
    quantizer: Quantizer
    memory: MemoryModel
    learner: Learner | Auto
    baseline: Learner
    scenario: Scenario | NoScenario
    stream: Order
    project: ProjectSettings
    tracking: Tracker

    @property
    def learners(self) -> Mapping[str, Learner]:
        """The learners that there are to choose from, by name; one, unless the choice is to be made."""
        return candidates_of(self.learner)


def base_classes(scenario: Scenario | NoScenario, data: Dataset, field: Dataset) -> tuple[int, ...]:
    """The classes of the field that do not join while the device works; none where none joins, or all do."""
    if isinstance(scenario, NoScenario):
        return ()
    new = scenario.fitted(data, field).new_classes(field)
    return tuple(number for number in range(field.classes) if number not in new) if new else ()
