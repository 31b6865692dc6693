"""What a result says of a network and its program: figures, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinyml_nas.design.omega import MemoryReport, OmegaSize
from tinyml_nas.interval import wilson
from tinyml_nas.pipeline.stages.generate import ARENA_FILE
from tinyml_nas.search.base import Exceeded, Infeasible
from tinyml_nas.store.digest import describe
from tinyml_nas.store.entries import Entry
from tinyml_nas.study import Study
from tinyml_nas.types import CppProject, DataCounts, Extractor, Figure, TorchModel

Metrics = dict[str, Any]


def accuracy(share: float, images: int) -> Metrics:
    """A share of images that are right, with its 95 % interval (Wilson)."""
    return asdict(Figure(share, "accuracy", images, None, wilson(share, images)))


def card(folder: Path) -> Metrics:
    """What the record of a shipped network claims of its program; nothing where it has none."""
    path = folder / "record.json"
    if not path.exists():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    found, provenance = record["metrics"], record["provenance"]
    claimed = {"deployed": found["test_accuracy"]["deployed"]}
    told = {"dtype": found["omega"]["dtype"], "dataset": provenance["dataset_name"]}
    return {"card": claimed | told}


def search(entry: Entry) -> Metrics:
    """What a search found, and how accurate on the validation images that it scored networks on."""
    value: Any = entry.value
    return {
        **_tally(value["evaluations"], value["failures"]),
        "inherited_accuracy": accuracy(value["chosen"]["accuracy"], value["images"]),
        "rivals": _rivals(entry.path / "search.json"),
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


def network(model: TorchModel, data: DataCounts) -> Metrics:
    """The network that is deployed."""
    return {
        "parameters": model.parameters,
        "macs": model.macs,
        "validation_accuracy": accuracy(model.accuracy, data.count("validation")),
        "test_images": data.count("test"),
    }


def training(model: TorchModel) -> Metrics:
    """How a network was trained last."""
    return trained(model.curve, model.hardware)


def trained(curve: Sequence[Mapping[str, float]], hardware: str) -> Metrics:
    """A training by its curve, an entry an epoch."""
    return {
        "hardware": hardware,
        "steps": int(curve[-1]["step"]) if curve else 0,
        "seconds": round(sum(entry["seconds"] for entry in curve)),
        "loss": [round(entry["loss"], 4) for entry in curve],
    }


def conversion(entry: Entry) -> Metrics:
    """How far the logits of what was converted lie from a torch module's; nothing of a file."""
    value: Any = entry.value
    return {name: value[name] for name in ("max_abs_error", "checked_images") if name in value}


def pruning(whole: TorchModel, pruned: TorchModel) -> Metrics:
    """The share of its bytes that a network kept: what was reached of what was asked."""
    return {"kept": asdict(Figure(pruned.size_bytes / whole.size_bytes, "share", 1))}


def extractor(model: TorchModel, quantized: Extractor) -> Metrics:
    """The extractor of Ω."""
    return {
        "resolution": model.resolution,
        "features": quantized.features,
        "dtype": quantized.dtype,
    }


def quantization(before: Metrics, after: Metrics, quantized: Extractor) -> Metrics:
    """Top-1 accuracy on the validation images ``before`` and ``after``, and what is left of each layer.

    ``layers`` are in the order of the network, in decibels of signal to noise; the last is the features.
    """
    found: Metrics = {"validation_accuracy_before": before, "validation_accuracy_after": after}
    layers = quantized.signal_to_noise_db
    if layers:
        worst = min(layers, key=layers.__getitem__)
        found |= {
            "features_db": list(layers.values())[-1],
            "worst_layer": worst,
            "worst_layer_db": layers[worst],
            "layers": [{"layer": name, "db": decibels} for name, decibels in layers.items()],
        }
    return found


def buffer(size: OmegaSize) -> Metrics:
    """The buffer of Ω, the key that keeps it from being larger, and what to set where a label takes long."""
    found: Metrics = {
        "memory_model": size.memory_model,
        "buffer_samples": size.buffer_samples,
        "bound": size.program.bound,
    }
    if size.program.quicker:
        found["quicker"] = dict(size.program.quicker)
    return found


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
    arena = project.artifact.path.with_name(ARENA_FILE)
    return {
        "flash_bytes": project.planned["flash"],
        "ram_bytes": project.planned["ram"],
        "arena_bytes": project.planned["arena"],
        "arena_unfused_bytes": project.planned["arena_unfused"],
        "fused_blocks": project.planned["fused_blocks"],
        "linked_bytes": project.linked,
        # In one list, so that tables of figures leave it alone.
        "arena_plan": [json.loads(arena.read_text(encoding="utf-8"))],
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
        "supernet": type(study.supernet).__name__,
        "device": study.device.name,
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


def took(seconds: float, stages: Sequence[tuple[str, float | None]]) -> Metrics:
    """How long a run and each of its stages took; None is a stage that the store had."""
    return {
        "seconds": round(seconds, 1),
        "stages": [
            {"stage": name, "seconds": None if spent is None else round(spent, 1)}
            for name, spent in stages
        ],
    }


def confusion(entry: Entry, names: Sequence[str]) -> Metrics:
    """How many test images of a class (rows) the program took for which (columns)."""
    value: Any = entry.value
    return {"classes": list(names), "matrix": value["matrix"]}


def _rivals(path: Path) -> list[dict[str, Any]]:
    """Every network that a search evaluated, with its cost; which are on the front, and which was chosen."""
    found = json.loads(path.read_text(encoding="utf-8"))
    front = [rival["architecture"] for rival in found["front"]]
    return [
        {
            "accuracy": rival["accuracy"],
            **rival["footprint"],
            "resolution": rival["architecture"]["resolution"],
            "on_front": rival["architecture"] in front,
            "chosen": rival["architecture"] == found["chosen"]["architecture"],
        }
        for rival in found["archive"]
    ]


def _excess(exceeded: Sequence[Exceeded]) -> dict[str, int]:
    return {limit.name: limit.used - limit.allowed for limit in exceeded}


def _tally(evaluations: int, failures: dict[str, int]) -> Metrics:
    """How many networks a search evaluated, how many it could not, and why: a count by reason."""
    return {"evaluations": evaluations, "failed": sum(failures.values()), "failures": failures}
