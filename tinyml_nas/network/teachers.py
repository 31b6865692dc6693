"""Networks that teach others: a folder each, by its name or by its path. Without torch."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml_nas.network.shipped import FILES
from tinyml_nas.store.paths import is_folder

TEACHERS = Path(__file__).parent / "teachers"
DATA = ()  # a stage is given the teacher itself


class NoSuchTeacherError(ValueError):
    """A teacher was asked for that is neither shipped nor a folder."""


def teacher_folder(name: str) -> Path:
    """The folder of a shipped teacher, or of one that ``task=train_teacher`` left.

    Raises:
        NoSuchTeacherError: there is neither.
    """
    shipped = TEACHERS / name
    folder = shipped if is_folder(shipped) else Path(name).expanduser()
    if not is_folder(folder):
        raise NoSuchTeacherError(
            f"train_supernet.teacher: no folder {folder}, and no shipped teacher of that name; "
            f"shipped: {shipped_teachers()}; 'python run.py task=train_teacher dataset=cifar10' "
            "trains one"
        )
    return folder


def check_teacher(name: str, classes: int) -> None:
    """Refuse a teacher that is not there, not whole, or of another number of classes.

    Raises:
        NoSuchTeacherError: naming the folder or file.
    """
    folder = teacher_folder(name)
    try:
        knows = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))["classes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoSuchTeacherError(
            f"train_supernet.teacher: {folder} is no network's folder: {FILES[0]}: {error}"
        ) from error
    if knows != classes:
        raise NoSuchTeacherError(
            f"train_supernet.teacher: {folder} tells {knows} classes apart, and the data set has "
            f"{classes}"
        )


def shipped_teachers() -> str:
    """Names of the teachers in the package."""
    return ", ".join(sorted(path.name for path in TEACHERS.glob("*"))) or "none"
