"""The stage that trains a supernet; its checkpoint is an input of all others."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyml_nas.pipeline.context import Context
from tinyml_nas.progress import reported
from tinyml_nas.store.entries import Json, describe, digest_of


def train_supernet(context: Context) -> dict[str, Any]:
    """Train the study's supernet; returns the accuracy of its smallest and largest networks."""
    study = context.study

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.cards.supernet import card
        from tinyml_nas.supernet.files import load_supernet, save_supernet
        from tinyml_nas.supernet.network import untrained
        from tinyml_nas.supernet.problem import SupernetProblem
        from tinyml_nas.supernet.record import record
        from tinyml_nas.supernet.train import train_supernet as train
        from tinyml_nas.training.loop import PLATEAU_STATE

        images, validation = context.images("train"), context.images("validation")
        supernet = untrained(study.supernet, study.dataset.classes, study.seed)
        with reported("supernet") as report:
            curve = train(supernet, images, study.train_supernet, work, study.seed, report)
        trained = folder / "supernet.safetensors"
        save_supernet(supernet, trained)
        if (work / PLATEAU_STATE).exists():
            shutil.copyfile(work / PLATEAU_STATE, folder / PLATEAU_STATE)
        space = replace(study.supernet, checkpoint=str(trained))  # scored in float16, as shipped
        supernet = load_supernet(space, study.dataset.classes)
        problem = SupernetProblem(supernet, images, validation, study.device)
        made = record(problem, study.train_supernet, curve, study.dataset.digest(), study.seed)
        (folder / "supernet.json").write_text(json.dumps(made, indent=1) + "\n")
        (folder / "supernet.md").write_text(card(study.supernet.checkpoint or "supernet", made))
        return {name: made[name]["accuracy"] for name in ("smallest", "largest")}

    inputs = dict(context.data)
    extends = study.train_supernet.extends
    if extends is not None and extends.is_file():  # where there is none, training says so
        inputs["extends"] = digest_of(extends)
    entry = context.run("train_supernet", build, _config(context), inputs, version=2)
    for file in entry.path.iterdir():
        shutil.copyfile(file, context.study.output_dir / file.name)
    return dict(entry.value)


def _config(context: Context) -> dict[str, Json]:
    study = context.study
    return {
        "supernet": describe(study.supernet),
        "recipe": describe(study.train_supernet),
        "seed": study.seed,
    }
