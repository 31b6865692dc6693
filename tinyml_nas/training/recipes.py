"""How long and how fast to train: the numbers of a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from tinyml_nas.store.paths import is_file
from tinyml_nas.types import DataCounts

LARGEST = "largest"


@dataclass(frozen=True)
class Recipe:
    """A training run. Lengths are in epochs, which may be fractions, or in steps.

    The learning rate rises over ``warmup_epochs``. Without ``decay_epochs`` it then falls along a
    cosine; with them, it stays at its peak and falls linearly over the last ``decay_epochs``. Until
    that fall such a run does not depend on ``epochs``, so that its state can be carried further.

    Args:
        optimizer: ``sgd`` with Nesterov momentum; ``muon``, which takes the matrices of dense
            and 1x1 convolutions from it and moves them by ``matrix_learning_rate``; or ``adamw``,
            whose decay is decoupled: learning rate times ``weight_decay`` a step.
        crop_padding: Pixels of the 32-pixel image by which it is shifted at most.
        erase_side: Side of a grey square put over each image at random; 0 for none.
        average_steps: Steps that the exponential moving average of the weights reaches back; the
            average is what training returns. 0 for none.
        shown_images: Where it is above 0, the run is at least so many images long, however few there are to
            show, and a batch is no larger than they are.
        crop_share: Least share of an image's area that is shown; 1 shows all of it (Szegedy et al. 2015).
        colour: How far brightness, contrast and each colour are changed at most, as a share of their range.
        checkpoint_steps: Steps between two states on disk.
        device: ``auto`` takes a GPU if there is one.
        precision: ``auto`` is bfloat16 on a GPU that has it, else float32.
    """

    epochs: float
    batch_size: int = 128
    optimizer: Literal["sgd", "muon", "adamw"] = "sgd"
    learning_rate: float = 0.1
    matrix_learning_rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    warmup_epochs: float = 0.25
    decay_epochs: float | None = None
    crop_padding: int = 4
    erase_side: int = 0
    average_steps: int = 0
    clip_norm: float = 5.0
    shown_images: int = 0
    crop_share: float = 1.0
    colour: float = 0.0
    checkpoint_steps: int = 100
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        for key in (
            *("batch_size", "learning_rate", "matrix_learning_rate", "clip_norm"),
            "checkpoint_steps",
        ):
            if not getattr(self, key) > 0:
                raise ValueError(f"recipe.{key}: must be positive; got {getattr(self, key)}")
        for key in ("momentum", "label_smoothing"):
            if not 0 <= getattr(self, key) < 1:
                raise ValueError(f"recipe.{key}: must be in [0, 1); got {getattr(self, key)}")
        for key in (
            *("epochs", "weight_decay", "warmup_epochs", "crop_padding", "erase_side"),
            *("average_steps", "shown_images"),
        ):
            if getattr(self, key) < 0:
                raise ValueError(f"recipe.{key}: must not be negative; got {getattr(self, key)}")
        if not 0 < self.crop_share <= 1:
            raise ValueError(f"recipe.crop_share: must be in (0, 1]; got {self.crop_share}")
        if not 0 <= self.colour <= 1:
            raise ValueError(f"recipe.colour: must be in [0, 1]; got {self.colour}")
        if self.decay_epochs is not None and not 0 < self.decay_epochs <= self.epochs:
            raise ValueError(
                f"recipe.decay_epochs: must be in (0, recipe.epochs = {self.epochs}], or null for "
                f"a cosine; got {self.decay_epochs}"
            )

    def check(self, dataset: DataCounts) -> None:
        """Refuse to train on ``dataset`` without taking a step; reads no data.

        ``epochs`` of 0 are no mistake here: the weights are wanted as they come.

        Raises:
            ValueError: naming the config key.
        """
        images = dataset.count("train")
        self.fitted(images).steps_per_epoch(images)

    def fitted(self, images: int) -> Recipe:
        """The recipe for a run on so many images; itself, unless it asks for ``shown_images``.

        ``epochs`` of 0 stay 0.
        """
        if not self.shown_images or not images:
            return self
        epochs = max(self.epochs, self.shown_images / images) if self.epochs else 0
        batch_size = min(self.batch_size, images)
        return replace(self, epochs=epochs, batch_size=batch_size, shown_images=0)

    def steps_per_epoch(self, images: int) -> int:
        """How many whole batches ``images`` make, at least one.

        Raises:
            ValueError: a batch is larger than that.
        """
        if self.batch_size > images:
            raise ValueError(
                f"recipe.batch_size: must be at most {images}, the images to train on, or no step "
                f"is taken; got {self.batch_size}"
            )
        return images // self.batch_size

    @property
    def plateau_ends(self) -> float | None:
        """The epoch from which on the learning rate falls, of a run that can be extended."""
        return None if self.decay_epochs is None else self.epochs - self.decay_epochs

    def rate_at(self, epoch: float) -> float:
        """Share of the peak learning rate when ``epoch`` epochs are done."""
        if epoch < self.warmup_epochs:
            return epoch / self.warmup_epochs + 0.01
        if self.decay_epochs is not None:
            return min(1.0, max(0.0, self.epochs - epoch) / self.decay_epochs)
        if epoch >= self.epochs:
            return 0.0
        done = (epoch - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
        return 0.5 * (1 + math.cos(math.pi * done))


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
        mixing: Show each image with up to half of another one over it, both labels in these shares (Zhang et al. 2018).
        keep_statistics: Leave BatchNorm's statistics as they are: where there are too few images to measure them.
    """

    keep_inherited: bool = False
    recovery_teacher: Literal["unpruned", "recipe"] = "unpruned"
    recovery_share: float = 0.9
    mixing: bool = False
    keep_statistics: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.recovery_share <= 1:
            raise ValueError(f"recipe.recovery_share: must be in [0, 1]; got {self.recovery_share}")

    def before_pruning(self) -> FinetuneRecipe:
        """The training of an inherited network: what has no part in it has its default."""
        alone = replace(self, keep_inherited=False, recovery_teacher="unpruned", recovery_share=0.0)
        if not self.keep_inherited:
            return alone
        return replace(alone, epochs=0, decay_epochs=None)

    def after_pruning(self) -> FinetuneRecipe:
        """The training of a pruned network, taught by the unpruned one or by the recipe's own teacher."""
        if self.recovery_teacher == "recipe":
            return replace(self, keep_inherited=False).before_pruning()
        common = {item.name: getattr(self, item.name) for item in fields(Recipe)}
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
