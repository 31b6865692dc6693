"""What a result says of learners and taps: which were chosen, and what came of them in the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from codegen.learners.base import Learner, name_of
from scenarios.base import Scenario
from scenarios.measures import difference
from tinyml_nas.design.omega import OmegaSize
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline.metrics import Metrics
from tinyml_nas.study import Study
from tinyml_nas.types import Figure


def scenario(study: Study, world: Scenario, outcome: Mapping[str, Any]) -> Metrics:
    """What was driven through what ``world``."""
    field = study.field
    new = {field.class_names[number] for number in world.new_classes(field)}
    return {
        "world": type(world).__name__,
        "stream": type(study.stream).__name__,
        "samples": world.samples,
        "repetitions": world.repetitions,
        "tuning_repetitions": world.tuning_repetitions,
        "curve_images": world.curve_images,
        "pool_images": outcome["pool_images"],
        "score_images": outcome["score_images"],
        # A figure of new classes by an extractor that has seen them is none.
        "new_classes_seen_in_training": ", ".join(sorted(new & set(study.dataset.class_names)))
        or None,
    }


def driven(
    learner: Learner, size: OmegaSize, value: Metrics, outcome: Mapping[str, Any]
) -> Metrics:
    """What came of a learner: figures first."""
    return {
        "name": name_of(learner),
        "buffer_samples": size.buffer_samples,
        **outcome["figures"],
        "tuned": tuned(value),
        "curves": outcome["curves"],
        "spreads": outcome["spreads"],
        "ends": outcome["ends"],
    }


def unfit(learner: Learner, size: OmegaSize) -> Metrics:
    """A learner that is too large for the board or the budget, and by how much."""
    missing = {name: report.shortfall for name, report in size.reports.items() if report.shortfall}
    return {"name": name_of(learner), "fits": False, "missing_bytes": missing}


def tuned(value: Mapping[str, Any]) -> Metrics:
    """Knobs as they are set, those that are at the edge of what was tried, and all that was tried."""
    return {**value["values"], "at_edge": value["at_edge"], "trials": value["trials"]}


def choice(name: str, tried: Sequence[tuple[str, OmegaSize, Mapping[str, Any]]]) -> Metrics:
    """The learner that was chosen, and what each candidate takes and does on validation streams."""
    return {
        "chosen": name,
        "candidates": {each: _candidate(size, found) for each, size, found in tried},
    }


def taps(
    name: str,
    tried: Sequence[tuple[str, NetworkSpec, str, OmegaSize, Mapping[str, Any]]],
) -> Metrics:
    """The taps that were chosen; and each candidate, with what its head reads and its best learner."""
    rows = {
        way: {
            "blocks": list(spec.taps),
            "channels": spec.tapped_channels,
            "features": spec.head_features,
            "learner": learner,
            **_candidate(size, found),
        }
        for way, spec, learner, size, found in tried
    }
    told = {key: rows[name][key] for key in ("blocks", "channels", "features")}
    return {"chosen": name, **told, "candidates": rows}


def _candidate(size: OmegaSize, found: Mapping[str, Any]) -> Metrics:
    program = size.program
    row: Metrics = {
        "fits": size.fits,
        "buffer_samples": size.buffer_samples,
        "flash_bytes": program.memory.flash_bytes,
        "ram_bytes": program.memory.ram_bytes,
    }
    if found:
        score = Figure(found["score"], "accuracy", found["streams"])
        row |= {"validation_end": asdict(score), "knobs": dict(found["values"])}
    return row


def compared(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Metrics:
    """How much better the learner ends than its baseline, by each probe: paired on the same streams."""
    return {
        f"{name}_end": asdict(difference(ends, theirs["ends"][name]))
        for name, ends in ours["ends"].items()
    }
