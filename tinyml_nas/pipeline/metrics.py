"""What a result says: its figures, and where each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyml_nas.design.omega import MemoryReport, OmegaSize
from tinyml_nas.search.base import Exceeded, Infeasible
from tinyml_nas.store.digest import describe
from tinyml_nas.store.entries import Entry
from tinyml_nas.study import Study
from tinyml_nas.types import CppProject, Extractor, TorchModel

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
        "exceeds": _excess(found.exceeded),
    }


def hopeless(exceeded: Sequence[Exceeded]) -> Metrics:
    """By how much the smallest network exceeds the limits: nothing was evaluated."""
    return {**_tally(0, {}), "exceeds": _excess(exceeded)}


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


def extractor(model: TorchModel, quantized: Extractor) -> Metrics:
    """The extractor of Ω."""
    return {
        "resolution": model.resolution,
        "features": quantized.features,
        "dtype": quantized.dtype,
    }


def buffer(size: OmegaSize) -> Metrics:
    """The buffer of Ω, and the key that keeps it from being larger."""
    return {
        "memory_model": size.memory_model,
        "buffer_samples": size.buffer_samples,
        "bound": size.program.bound,
    }


def memory(size: OmegaSize) -> Metrics:
    """Ω as each memory model counts it."""
    return {name: _counted(report) for name, report in size.reports.items()}


def _counted(report: MemoryReport) -> Metrics:
    """Bytes of each memory and its limit, the largest buffer under these, and what is missing."""
    rows: Metrics = {"sample_bytes": report.sample_bytes}
    for name, parts in report.parts.items():
        rows[f"{name}_bytes"] = report.used(name)
        rows[f"{name}_parts"] = dict(parts)
        if name in report.limits:
            rows[f"{name}_limit_bytes"] = report.limits[name]
    if report.limits:
        rows |= {"most_samples": report.most_samples, "missing_bytes": report.shortfall}
    return rows


def program(project: CppProject) -> Metrics:
    """The generated program: what was emitted, and what the linker made of it."""
    return {
        "flash_bytes": project.planned["flash"],
        "ram_bytes": project.planned["ram"],
        "arena_bytes": project.planned["arena"],
        "arena_unfused_bytes": project.planned["arena_unfused"],
        "fused_blocks": project.planned["fused_blocks"],
        "linked_bytes": project.linked,
    }


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


def _excess(exceeded: Sequence[Exceeded]) -> dict[str, int]:
    return {limit.name: limit.used - limit.allowed for limit in exceeded}


def _tally(evaluations: int, failures: dict[str, int]) -> Metrics:
    """How many networks a search evaluated, how many it could not, and why: a count by reason."""
    return {"evaluations": evaluations, "failed": sum(failures.values()), "failures": failures}
