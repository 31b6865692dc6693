"""How long and how fast to train: the numbers of each kind of training run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from tinyml_nas.store.paths import is_file
from tinyml_nas.training.base import Recipe
from tinyml_nas.types import DataCounts

LARGEST = "largest"


@dataclass(frozen=True)
class SupernetRecipe(Recipe):
    """The first ``largest_epochs`` train the largest network alone.

    After that each step trains the largest, the smallest and ``random_networks`` others.
    ``extends`` is the state of a run of the same recipe, seed and data from which this one goes on;
    only its length may have been another. ``start`` is a trained supernet's file, of a space of the same
    layers whose options may have been others; null starts as the space does.
    ``reported_networks`` random ones are scored at the end.
    """

    largest_epochs: float = 0.0
    random_networks: int = 2
    extends: Path | None = None
    start: Path | None = None
    reported_networks: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("largest_epochs", "random_networks"):
            if getattr(self, key) < 0:
                raise ValueError(f"recipe.{key}: must not be negative; got {getattr(self, key)}")
        if self.reported_networks < 2:
            raise ValueError(
                "recipe.reported_networks: must be at least 2, for a deviation; got "
                f"{self.reported_networks}"
            )
        if self.extends is not None and self.decay_epochs is None:
            raise ValueError(
                "recipe.extends: needs recipe.decay_epochs, because a cosine depends on its length "
                "from its first step"
            )

    def check(self, dataset: DataCounts) -> None:
        """Refuse to train no step on ``dataset``, or to extend what is not there.

        A supernet has no weights but those that it is trained to have.
        """
        super().check(dataset)
        if self.epochs == 0:
            raise ValueError("recipe.epochs: must be above 0, or no step is taken; got 0")
        if self.extends is not None and not is_file(self.extends):
            raise ValueError(f"recipe.extends: no file {self.extends}; null trains from the start")
        if self.start is not None and not is_file(self.start):
            raise ValueError(f"recipe.start: no file {self.start}; null starts as the space does")


@dataclass(frozen=True)
class TaughtSupernetRecipe(SupernetRecipe):
    """Every network learns from a trained ``teacher``: a shipped one's name, or its folder.

    The largest network's loss is ``teacher_share`` of the teacher's answers and the rest of labels;
    all others learn from the answers alone.
    """

    teacher: str = "lite0"
    teacher_share: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"recipe.teacher_share: must be in [0, 1]; got {self.teacher_share}")


@dataclass(frozen=True)
class FinetuneRecipe(Recipe):
    """Train a chosen network before pruning, and again after it.

    Args:
        keep_inherited: Leave a network's weights as the supernet had them, and train after pruning alone:
            where there are few images, and the supernet has seen many.
        recovery_teacher: Who teaches a pruned network: ``unpruned`` is what it was before, asked about
            every batch as it is shown; ``recipe`` is whoever teaches the recipe, if anybody.
        recovery_share: Weight of the unpruned network's answers in the loss, in [0, 1].
        recovery_epochs: Length of the training after pruning; null for as many ``epochs`` as before it.
        recovery_rate: Share of the peak learning rates after pruning, in (0, 1]: what was fitted to the
            unpruned network is lost at rates that are right for training from afar.
        mixing: Show each image with up to half of another one over it, both labels in these shares (Zhang et al. 2018).
        keep_statistics: Leave BatchNorm's statistics as they are: where there are too few images to measure them.
    """

    keep_inherited: bool = False
    recovery_teacher: Literal["unpruned", "recipe"] = "unpruned"
    recovery_share: float = 0.9
    recovery_epochs: float | None = None
    recovery_rate: float = 1.0
    mixing: bool = False
    keep_statistics: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.recovery_share <= 1:
            raise ValueError(f"recipe.recovery_share: must be in [0, 1]; got {self.recovery_share}")
        if not 0 < self.recovery_rate <= 1:
            raise ValueError(f"recipe.recovery_rate: must be in (0, 1]; got {self.recovery_rate}")
        least = self.decay_epochs or 0
        if self.recovery_epochs is not None and self.recovery_epochs < least:
            raise ValueError(
                f"recipe.recovery_epochs: must be at least {least:g}, which recipe.decay_epochs takes, or null; "
                f"got {self.recovery_epochs:g}"
            )

    def before_pruning(self) -> FinetuneRecipe:
        """The training of an inherited network: what has no part in it has its default."""
        alone = replace(
            self,
            keep_inherited=False,
            recovery_teacher="unpruned",
            recovery_share=0.0,
            recovery_epochs=None,
            recovery_rate=1.0,
        )
        if not self.keep_inherited:
            return alone
        return replace(alone, epochs=0, decay_epochs=None)

    def after_pruning(self) -> FinetuneRecipe:
        """The training of a pruned network, taught by the unpruned one or by the recipe's own teacher."""
        gentler = replace(
            self,
            keep_inherited=False,
            epochs=self.epochs if self.recovery_epochs is None else self.recovery_epochs,
            learning_rate=self.learning_rate * self.recovery_rate,
            matrix_learning_rate=self.matrix_learning_rate * self.recovery_rate,
        )
        if self.recovery_teacher == "recipe":
            return gentler.before_pruning()
        common = {item.name: getattr(gentler, item.name) for item in fields(Recipe)}
        return DistilledRecipe(
            **common,
            mixing=self.mixing,
            keep_statistics=self.keep_statistics,
            teacher="",
            teacher_share=self.recovery_share,
        ).before_pruning()


@dataclass(frozen=True)
class DistilledRecipe(FinetuneRecipe):
    """Learn from the labels and from a ``teacher``.

    ``largest`` is the supernet's largest network, which is asked about every batch as it is shown;
    else it is a shipped teacher's name or its folder, asked once about every image as it is.
    ``teacher_share`` is the weight of its answers in the loss, in [0, 1].
    """

    teacher: str = LARGEST
    teacher_share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mixing and self.teacher not in (LARGEST, ""):
            raise ValueError(
                f"recipe.mixing: must be false with the teacher {self.teacher}, which is asked about images as they "
                f"are; or take the teacher {LARGEST}"
            )
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"recipe.teacher_share: must be in [0, 1]; got {self.teacher_share}")


@dataclass(frozen=True)
class TeacherRecipe(Recipe):
    """Fine-tune the whole network that comes from ImageNet, at ``resolution`` pixels.

    The first ``small_epochs`` see images of ``small_resolution``, which cost less (Tan and Le 2021,
    progressive learning). Both are multiples of 32, the network's own stride, so that every map
    halves evenly.
    """

    resolution: int = 96
    small_resolution: int = 64
    small_epochs: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("resolution", "small_resolution"):
            if getattr(self, key) < 32 or getattr(self, key) % 32:
                raise ValueError(
                    f"recipe.{key}: must be a multiple of 32 pixels; got {getattr(self, key)}"
                )
        if not 0 <= self.small_epochs <= self.epochs:
            raise ValueError(
                f"recipe.small_epochs: must be in [0, recipe.epochs = {self.epochs}]; got "
                f"{self.small_epochs}"
            )

    def check(self, dataset: DataCounts) -> None:
        """Refuse to train no step on ``dataset``: the head of a teacher is drawn at random."""
        super().check(dataset)
        if self.epochs == 0:
            raise ValueError("recipe.epochs: must be above 0, or no step is taken; got 0")

    def side_at(self, epoch: float) -> int:
        """Input side in pixels when ``epoch`` epochs are done."""
        return self.small_resolution if epoch < self.small_epochs else self.resolution
