"""Which lesson Υ and Φ are given, and in which order they are pruned and trained; no stage runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tinyml_nas.pipeline.test_bounds import study_of
from tinyml_nas.pipeline import compression
from tinyml_nas.pipeline.context import Context
from tinyml_nas.store.entries import Entry, Key, Store
from tinyml_nas.training.recipes import DistilledRecipe, FinetuneRecipe
from tinyml_nas.types import Artifact, TorchModel

FIGURES = {"accuracy": 0.9, "size_bytes": 1000, "resolution": 32, "parameters": 9, "macs": 9}
WHOLE = TorchModel(Artifact(Path("whole"), "whole"), **FIGURES)


class Recorder(Context):
    """Keeps what each stage is given; ``left_alone`` are the steps in which pruning removes nothing."""

    def __init__(self, tmp_path: Path, left_alone: tuple[int, ...] = ()) -> None:
        super().__init__(Store(tmp_path))
        object.__setattr__(self, "calls", [])
        object.__setattr__(self, "left_alone", left_alone)

    def run(self, stage, **given) -> Entry:
        self.calls.append((stage.__name__, given))
        digest = f"{stage.__name__} {len(self.calls)}"
        if stage.__name__ == "prune" and given["step"] in self.left_alone:
            digest = given["network"].digest
        return Entry(Key(stage.__name__, {}, "", {}), Path(digest), digest, {**FIGURES})


def lessons(tmp_path, option: str = "quick", **fields: object):
    """Before and after pruning by a recipe whose fields are changed, and what the stages were given."""
    study, context = study_of("pruning=l1", f"finetune={option}"), Recorder(tmp_path)
    study = replace(study, finetune=replace(study.finetune, **fields))
    own = compression.before_pruning(context, study, {})
    return own, compression.after_pruning(context, study, {}, own, WHOLE), context.calls


@pytest.mark.parametrize("option", ["quick", "standard", "strong"])
def test_what_pruning_lost_is_learnt_from_the_unpruned_network(tmp_path, option):
    own, recovery, calls = lessons(tmp_path, option, recovery_share=0.75)
    assert recovery.teacher == WHOLE.artifact
    assert recovery.answers is None
    assert isinstance(recovery.recipe, DistilledRecipe)
    assert recovery.recipe.teacher_share == 0.75
    assert recovery.recipe.epochs == own.recipe.epochs
    assert recovery.recipe.matrix_learning_rate == own.recipe.matrix_learning_rate / 4
    assert recovery.recipe.learning_rate == own.recipe.learning_rate / 4
    assert [name for name, _ in calls] == ([] if option == "standard" else ["inherit"])
    assert (own.teacher is None) == (option == "standard")


def test_or_from_the_teacher_of_the_recipe(tmp_path):
    own, recovery, _ = lessons(tmp_path, recovery_teacher="recipe", recovery_rate=1)
    assert recovery == own
    own, recovery, calls = lessons(
        tmp_path, "strong", recovery_teacher="recipe", teacher="lite0", recovery_rate=1
    )
    assert recovery == own
    assert [name for name, _ in calls] == ["answers"]
    assert own.teacher is None
    assert own.recipe.teacher == ""


@pytest.mark.parametrize("teacher", ["unpruned", "recipe"])
def test_what_is_inherited_is_kept_until_it_is_pruned(tmp_path, teacher):
    own, recovery, calls = lessons(
        tmp_path, "strong", recovery_teacher=teacher, keep_inherited=True
    )
    assert (own.recipe.epochs, own.teacher, own.answers) == (0, None, None)
    assert recovery.recipe.epochs == 60
    assert recovery.teacher is not None
    assert [name for name, _ in calls] == ([] if teacher == "unpruned" else ["inherit"])
    again = lessons(tmp_path, "strong", recovery_teacher=teacher)[1]
    assert recovery.recipe == again.recipe  # by the same key


@pytest.mark.parametrize("teacher", ["unpruned", "recipe"])
def test_a_recovery_may_be_of_another_length(tmp_path, teacher):
    own, recovery, _ = lessons(tmp_path, recovery_teacher=teacher, epochs=3, recovery_epochs=0.5)
    assert (own.recipe.epochs, recovery.recipe.epochs) == (3, 0.5)
    again = lessons(tmp_path, recovery_teacher=teacher, epochs=3, recovery_epochs=2)[0]
    assert again.recipe == own.recipe  # by the same key


def test_a_recovery_shorter_than_its_own_decay_is_refused():
    with pytest.raises(ValueError, match=r"^recipe\.recovery_epochs: .* at least 2, .*; got 1$"):
        FinetuneRecipe(epochs=4.0, decay_epochs=2.0, recovery_epochs=1.0)
    with pytest.raises(ValueError, match=r"^recipe\.recovery_epochs: .* at least 0, .*; got -1$"):
        FinetuneRecipe(epochs=4.0, recovery_epochs=-1.0)


def test_how_it_is_recovered_is_in_no_key_of_the_training_before(tmp_path):
    first = lessons(tmp_path)[0].recipe
    assert lessons(tmp_path, recovery_share=0.2)[0].recipe == first
    assert lessons(tmp_path, recovery_teacher="recipe")[0].recipe == first


def test_who_taught_before_is_in_no_key_of_the_recovery(tmp_path):
    assert lessons(tmp_path, teacher_share=0.1)[1].recipe == lessons(tmp_path)[1].recipe


@pytest.mark.parametrize(
    ("left_alone", "expected"),
    [((), "prune finetune prune finetune prune finetune"), ((1, 2, 3), "prune prune prune")],
)
def test_each_step_prunes_and_trains_what_the_last_one_left(tmp_path, left_alone, expected):
    study, context = study_of("pruning=l1", "finetune=quick"), Recorder(tmp_path, left_alone)
    study = replace(study, pruning=replace(study.pruning, steps=3))
    lesson = compression.Lesson(FinetuneRecipe(epochs=1.0))
    found = compression.pruned(context, study, WHOLE, lesson)
    assert " ".join(name for name, _ in context.calls) == expected
    prunings = [given for name, given in context.calls if name == "prune"]
    assert [given["step"] for given in prunings] == [1, 2, 3]
    assert {given["whole_bytes"] for given in prunings} == {1000}
    assert {given["room"] for given in prunings} == {None}
    digest = "whole" if left_alone else "finetune 6"
    assert found.artifact.digest == digest
    networks = [given["network"].digest for _, given in context.calls]
    assert networks == (
        ["whole"] * 3
        if left_alone
        else ["whole", *(f"{name} {i}" for i, (name, _) in enumerate(context.calls[:5], 1))]
    )


def test_a_share_out_of_range_names_the_key():
    with pytest.raises(ValueError, match=r"^recipe\.recovery_rate: must be in \(0, 1\]; got 0"):
        FinetuneRecipe(epochs=1.0, recovery_rate=0)
    with pytest.raises(ValueError, match=r"^recipe\.recovery_share: must be in \[0, 1\]; got 1\.5"):
        FinetuneRecipe(epochs=1.0, recovery_share=1.5)
