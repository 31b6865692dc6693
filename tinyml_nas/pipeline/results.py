"""From the store's entries to the values that pass between stages."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from tinyml_nas.network.seen import from_json
from tinyml_nas.store.digest import digest_of
from tinyml_nas.store.entries import Entry
from tinyml_nas.types import (
    Architecture,
    Artifact,
    Candidate,
    CppProject,
    Extractor,
    Footprint,
    TorchModel,
)

EXTRACTOR_FILES = (
    "src/extractor",
    "src/weights",
    "runtime/kernels",
    "host",
)
"""What the features of a generated program depend on, and model.hpp: neither its head nor its learner."""


def artifact_of(entry: Entry) -> Artifact:
    """The files of a stage."""
    return Artifact(entry.path, entry.digest)


def accuracy_of(entry: Entry) -> float:
    """What ``accuracy`` and ``score`` found, in [0, 1]."""
    value: Any = entry.value
    return float(value["accuracy"])


def candidate_of(entry: Entry) -> Candidate:
    """What ``search`` chose."""
    value: Any = entry.value
    chosen = value["chosen"]
    architecture = Architecture(
        tuple(chosen["architecture"]["genes"]), chosen["architecture"]["resolution"]
    )
    footprint = Footprint(**chosen["footprint"])
    return Candidate(architecture, chosen["accuracy"], footprint)


def model_of(entry: Entry) -> TorchModel:
    """A network that a stage saved."""
    value: dict[str, Any] = dict(entry.value)
    value["curve"] = tuple(value.get("curve", ()))
    return TorchModel(artifact_of(entry), **value)


def extractor_of(entry: Entry) -> Extractor:
    """What ``quantize``, ``rearrange`` or ``extract`` left."""
    value: Any = entry.value
    names = {item.name for item in fields(Extractor)}
    kept = {name: value[name] for name in names & value.keys()}
    return Extractor(artifact_of(entry), **{**kept, "seen": from_json(value["seen"])})


def brought_of(entry: Entry, accuracy: float) -> TorchModel:
    """What ``extract`` says of a network, beside its extractor: what it costs, and its input side."""
    value: Any = entry.value
    names = ("size_bytes", "resolution", "parameters", "macs")
    return TorchModel(artifact_of(entry), accuracy, *(value[name] for name in names))


def project_of(entry: Entry) -> CppProject:
    """What ``generate`` wrote."""
    value: Any = entry.value
    return CppProject(Artifact(entry.path / "project", entry.digest), planned=value, linked=None)


def linked_of(entry: Entry, project: CppProject) -> CppProject:
    """The project with the bytes that ``link`` found."""
    value: Any = entry.value
    return replace(project, linked=value)


def extractor_part(project: CppProject) -> Artifact:
    """The project, known by the files that features depend on: learners share their features."""
    folder = project.artifact.path

    def needed(name: str) -> bool:
        return name.startswith(EXTRACTOR_FILES) or name.endswith("/model.hpp")

    return Artifact(folder, digest_of(folder, needed))
