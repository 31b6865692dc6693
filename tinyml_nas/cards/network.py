"""A network's model card: what a run found and trained, told to a reader."""

from __future__ import annotations

import shlex
from typing import Any

from tinyml_nas.cards.supernet import LITE0, MOBILE_NET
from tinyml_nas.interval import percent
from tinyml_nas.types import Result

CARD = """# Model card: {name}

{family}: {parameters:,} parameters, {macs:.1f} M multiply-adds, RGB images of {side}x{side} pixels,
{features} features under a head that learns on the device.

- **Data**: {dataset}; digest `{digest}`. Everything was chosen on the validation split; the test images serve the figures below
  alone.
- **Recipe**: searched ({evaluations} networks evaluated, inherited validation accuracy {inherited:.2f} %), then trained:
{training}
- **Seed** {seed}; {versions}.
- **Use**: classification of images like those that it was trained on, and as a feature extractor under a head that learns. Not
  for decisions about people.

## Accuracy

Top-1 on {images:,} test images, with its 95 % interval (Wilson): of one network and one seed.

| | |
|---|---:|
{accuracies}

## Memory

| | bytes |
|---|---:|
{memory}

The buffer of the program holds {samples:,} samples.

## To reproduce

    python run.py {overrides}
{measured}
To use these weights: `python run.py network=FOLDER`, where FOLDER is this one, or its name if it is a shipped one. The
files: `spec.json`, and `weights.safetensors`, whose stamp has the digests of both.
"""

ACCURACIES = {
    "float": "float",
    "pruned": "float, pruned",
    "deployed": "{dtype}, as the generated C++ computes it",
}


def card(name: str, result: Result) -> str:
    """Markdown for a result of the status ``ok`` of a run that trained."""
    metrics, provenance = result.metrics, result.provenance
    network, program, omega = metrics["network"], metrics["program"], metrics["omega"]
    images = network["test_images"]
    return CARD.format(
        name=name,
        family=f"An {LITE0}" if provenance.get("supernet") == "Lite0Space" else f"A {MOBILE_NET}",
        parameters=network["parameters"],
        macs=network["macs"] / 1e6,
        side=omega["resolution"],
        features=omega["features"],
        dataset=provenance["dataset_name"],
        digest=provenance["dataset"][:16],
        evaluations=metrics["search"]["evaluations"],
        inherited=100 * metrics["search"]["inherited_accuracy"]["value"],
        training="\n".join(trained(provenance["recipe"], metrics)),
        seed=provenance["seed"],
        versions=", ".join(versions(provenance["stages"])),
        images=images,
        accuracies="\n".join(
            f"| {ACCURACIES[key].format(dtype=omega['dtype'])} | {percent(figure['value'], figure['n'])} |"
            for key, figure in metrics["test_accuracy"].items()
            if key != "pruned" or was_pruned(metrics)
        ),
        memory="\n".join(memory(omega, metrics["memory"][omega["memory_model"]], program)),
        samples=omega["buffer_samples"],
        overrides=shlex.join(result.overrides),
        measured=measured(provenance.get("measured_by", [])),
    )


def measured(overrides: list[str]) -> str:
    """How the deployed program was measured, where that was not in the run that trained."""
    if not overrides:
        return ""
    return f"""
The int8 accuracy, the memory and the buffer are those of the network as it is here, deployed by

    python run.py {shlex.join(overrides)}
"""


def versions(stages: list[dict[str, Any]]) -> list[str]:
    """What computed the network and its figures, each name with its version, by name."""
    found = {pair for stage in stages for pair in stage["versions"].items()}
    return [f"{name} {version}" for name, version in sorted(found)]


def was_pruned(metrics: dict[str, Any]) -> bool:
    """Whether pruning took anything off the network."""
    return bool(metrics["size_bytes"]["pruned"] != metrics["size_bytes"]["float"])


def trained(recipe: dict[str, Any], metrics: dict[str, Any]) -> list[str]:
    """A line for each training, with its curve."""
    fields = ", ".join(f"{key} {value}" for key, value in recipe.items() if key != "_target_")
    lines = [f"  {fields}."]
    for name, run in metrics["training"].items():
        if name == "pruned" and not was_pruned(metrics):
            continue
        if not run["loss"]:
            lines.append(f"  - {name}: not trained.")
            continue
        losses = ", ".join(f"{loss:.2f}" for loss in run["loss"])
        lines.append(
            f"  - {name}: {run['seconds'] / 60:.0f} minutes on {run['hardware']}; loss of each epoch {losses}."
        )
    return lines


def memory(omega: dict[str, Any], model: dict[str, Any], program: dict[str, Any]) -> list[str]:
    """Rows: Ω under the run's memory model, and the linked program."""
    rows = [
        f"| Ω without its buffer, {omega['memory_model']} {key.removesuffix('_parts')} | "
        f"{sum(parts.values()) - parts.get('buffer', 0):,} |"
        for key, parts in model.items()
        if key.endswith("_parts")
    ]
    linked = program.get("linked_bytes") or {}
    rows += [f"| program, linked {name} | {size:,} |" for name, size in linked.items()]
    return rows
