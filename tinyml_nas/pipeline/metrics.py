"""What a result says: its figures, and where each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyml_nas.search.base import Infeasible
from tinyml_nas.store.digest import describe
from tinyml_nas.store.entries import Entry
from tinyml_nas.study import Study
from tinyml_nas.types import CppProject, MemoryReport, Omega, TorchModel

Metrics = dict[str, Any]


def search(entry: Entry) -> Metrics:
    """What a search found."""
    value: Any = entry.value
    return {
        **_tally(value["evaluations"], value["failures"]),
        "inherited_accuracy": value["chosen"]["accuracy"],
    }


def misses(found: Infeasible) -> Metrics:
    """By how much the closest network exceeds the limits."""
    return {
        **_tally(found.evaluations, found.failures),
        "exceeds": {limit.name: limit.used - limit.allowed for limit in found.exceeded},
    }


def network(model: TorchModel, test_images: int) -> Metrics:
    """The network that is deployed."""
    return {
        "parameters": model.parameters,
        "macs": model.macs,
        "validation_accuracy": model.accuracy,
        "test_images": test_images,
    }


def training(model: TorchModel) -> Metrics:
    """How a network was trained last."""
    return {
        "hardware": model.hardware,
        "steps": int(model.curve[-1]["step"]) if model.curve else 0,
        "seconds": round(sum(entry["seconds"] for entry in model.curve)),
        "loss": [round(entry["loss"], 4) for entry in model.curve],
    }


def omega(model: TorchModel, designed: Omega) -> Metrics:
    """Ω: its extractor, and the buffer that its memory model allows."""
    return {
        "resolution": model.resolution,
        "features": designed.extractor.features,
        "dtype": designed.extractor.dtype,
        "memory_model": designed.memory.model,
        "buffer_samples": designed.buffer_samples,
    }


def memory(report: MemoryReport) -> Metrics:
    """Bytes used of each memory's limit, the buffer they leave, and what is missing."""
    rows: Metrics = {"buffer_samples": report.buffer_samples, "sample_bytes": report.sample_bytes}
    for name, limit in report.limits.items():
        rows[f"{name}_bytes"] = report.used(name)
        rows[f"{name}_limit_bytes"] = limit
        rows[f"{name}_parts"] = report.parts[name]
    rows["missing_bytes"] = report.shortfall
    return rows


def program(project: CppProject) -> Metrics:
    """The generated program, beside its memory."""
    return {
        "arena_bytes": project.planned["arena"],
        "arena_unfused_bytes": project.planned["arena_unfused"],
        "fused_blocks": project.planned["fused_blocks"],
        "linked_bytes": project.linked,
    }


def learner(plugin: object) -> str:
    """What a learner goes by in a result."""
    return type(plugin).__name__.lower()


def provenance(study: Study, done: Sequence[Entry]) -> Metrics:
    """The study in short, and an entry for each stage, in the order in which they ran.

    ``files`` is the digest of what the stage wrote, None where its result is a value alone.
    """
    return {
        "task": study.task,
        "seed": study.seed,
        "dataset": study.dataset.digest(),
        "dataset_name": type(study.dataset).__name__,
        "recipe": describe(study.finetune),
        "stages": [
            {
                "stage": entry.key.stage,
                "key": entry.key.digest,
                "files": entry.digest if any(entry.path.iterdir()) else None,
                "versions": dict(entry.key.versions),
            }
            for entry in done
        ],
    }


def _tally(evaluations: int, failures: dict[str, int]) -> Metrics:
    """How many networks a search evaluated, how many it could not, and why: a count by reason."""
    return {"evaluations": evaluations, "failed": sum(failures.values()), "failures": failures}
