"""What a run leaves its user: copies of what the store holds, beside what is the user's own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from codegen import durable
from codegen.emit.folder import FolderError, check, regenerate
from tinyml_nas.types import Artifact


def check_project(destination: Path, *, overwrite: bool) -> None:
    """Before any work: whether a project can be put there, as far as that can be known.

    Raises:
        FolderError: the user edited a file of an older project there, or something else is there.
    """
    with _naming_the_key():
        check(destination, overwrite=overwrite)


def deliver_project(project: Artifact, destination: Path, *, overwrite: bool) -> None:
    """Put a generated project at ``destination``, as ``python -m codegen --out`` does.

    Raises:
        FolderError: see ``check_project``; or a file of the user is in the way of a new one.
    """
    with _naming_the_key():
        regenerate(
            destination, lambda root: durable.copy_tree(project.path, root), overwrite=overwrite
        )


def deliver_files(artifact: Artifact, destination: Path) -> None:
    """Put the files of an artifact into the folder ``destination``, in place of older ones."""
    for file in sorted(artifact.path.iterdir()):
        durable.copy(file, destination / file.name)


@contextmanager
def _naming_the_key() -> Generator[None]:
    try:
        yield
    except FolderError as error:
        raise FolderError(f"{error} (project.overwrite=true)") from error
