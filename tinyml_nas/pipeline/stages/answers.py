"""Ask a trained teacher about every image once."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.pipeline.split import Split
from tinyml_nas.progress import reported
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def answers(
    folder: Path, work: Path, *, teacher: Artifact, images: Split, device: str
) -> dict[str, Json]:
    """Probabilities (N, classes) that the ``teacher`` gives ``images`` as they are.

    ``device`` is a recipe's.
    """
    from tinyml_nas.network.files import load
    from tinyml_nas.training.answers import FILE, answers_of, write_answers
    from tinyml_nas.training.hardware import device_named

    network = load(teacher.path)
    network.to(device_named(device))
    with reported("teacher's answers") as report:
        write_answers(answers_of(network, images.load(), work, report), folder / FILE)
    return {}
