"""Stages on the generated program: emit it, check it, measure it, let it learn."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import codegen
from codegen.pixels import normalise, resize, to_codes
from tinyml_nas.pipeline.context import Context
from tinyml_nas.progress import reported
from tinyml_nas.store.entries import Json, describe, digest_of
from tinyml_nas.types import Artifact, CppProject, Images, Omega

FieldSplit = Literal["validation", "test"]


@dataclass(frozen=True, eq=False)
class FieldData:
    """A split as the device sees it: features (N, F), labels (N,), and the features' digest."""

    features: npt.NDArray[np.generic]
    labels: npt.NDArray[np.uint8]
    digest: str


def generate(context: Context, omega: Omega, learner: Any, learning_rate: float) -> CppProject:
    """The C++ project of Ω with a learner of Ω's buffer at a learning rate."""
    study = context.study
    settings = learner.settings(omega.buffer_samples, learning_rate)
    class_names = study.dataset.class_names
    golden_images = study.project.golden_images

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from codegen.emit.emitter import context_of, emit
        from codegen.project import Golden, Project
        from tinyml_nas.conversion import oracle
        from tinyml_nas.design.split import split

        graph, head = split(omega.extractor)
        tflite = omega.extractor.artifact.path / "extractor.tflite"
        inputs = _inputs(context.images("test")[:golden_images], graph.input.shape[1], omega)
        project = Project(
            name=study.project.name,
            graph=graph,
            head=head,
            learner=settings,
            board=study.device,
            golden=Golden(inputs, oracle.features(tflite, inputs)),
            class_names=class_names,
        )
        emit(project, folder / "project")
        emitted = context_of(project)
        memory, plan = emitted["memory"], emitted["plan"]
        return {
            "flash": memory.flash_bytes,
            "ram": memory.ram_bytes,
            "arena": plan.arena_bytes,
            "arena_unfused": plan.unfused_bytes,
            "fused_blocks": len(plan.fused),
        }

    config: Json = {
        "learner": describe(settings),
        "device": describe(study.device),
        "name": study.project.name,
        "golden_images": golden_images,
        "class_names": list(class_names),
    }
    inputs = {
        **context.data,
        "extractor": omega.extractor.artifact.digest,
        "codegen": _codegen_digest(),
    }
    entry = context.run("generate", build, config, inputs)
    value: Any = entry.value
    return CppProject(Artifact(entry.path / "project", entry.digest), planned=value, linked=None)


def link(context: Context, project: CppProject) -> CppProject:
    """With flash and RAM of the linked ELF, if the board's compiler is installed."""
    from codegen.toolchain import run as toolchain
    from codegen.toolchain import target

    try:
        compiler = toolchain.find("arm-none-eabi-g++")
        toolchain.find("cmake")
    except toolchain.ToolchainError:
        return project

    def build(folder: Path, work: Path) -> dict[str, Json]:
        size = target.linked(project.artifact.path, context.study.device, work / "build")
        return {"flash": size.flash_bytes, "ram": size.ram_bytes}

    version = toolchain.run([compiler, "--version"], Path(), timeout_s=60).splitlines()[0]
    inputs = {"project": project.artifact.digest}
    value: Any = context.run("link", build, {"compiler": version}, inputs).value
    return replace(project, linked=value)


def observe(context: Context, omega: Omega, project: CppProject, split: FieldSplit) -> FieldData:
    """Features of a split, computed by the generated program built for this host.

    Some of them are compared with the reference interpreter's.
    """
    images = context.images(split)
    checked_images = context.study.project.oracle_images

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.conversion import oracle
        from tinyml_nas.progress import track

        model = _host(context, project)
        inputs = _inputs(images, model.shape.image[0], omega)
        batches = np.array_split(inputs, max(1, len(inputs) // 100))
        rows = [model.features(batch) for batch in track(batches, f"features of {split}")]
        features = np.concatenate(rows)
        tflite = omega.extractor.artifact.path / "extractor.tflite"
        oracle.check(features[:checked_images], oracle.features(tflite, inputs[:checked_images]))
        np.save(folder / "features.npy", features)
        return {}

    config: Json = {"split": split, "checked_images": checked_images}
    inputs = {
        **context.data,
        "extractor": omega.extractor.artifact.digest,
        "program": _extractor_digest(project),
    }
    entry = context.run("observe", build, config, inputs)
    features = np.load(entry.path / "features.npy", allow_pickle=False)
    return FieldData(features, images.labels, entry.digest)


def score(context: Context, project: CppProject, field: FieldData) -> float:
    """Top-1 accuracy in [0, 1] of the program as it is shipped, before it learns."""

    def build(folder: Path, work: Path) -> dict[str, Json]:
        predicted = _host(context, project).predict(field.features)
        return {"accuracy": float((predicted == field.labels).mean())}

    inputs = {"project": project.artifact.digest, "features": field.digest, **context.data}
    value: Any = context.run("score", build, None, inputs).value
    return float(value["accuracy"])


def calibrate(context: Context, learner: Any, project: CppProject, field: FieldData) -> float:
    """The learning rate of the learner's grid that does best on validation streams."""
    study = context.study

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from scenarios.protocol import calibrate as tune
        from scenarios.stream import Samples

        with reported("calibrate") as report:
            found = tune(
                study.scenario,
                _host(context, project),
                Samples(field.features, field.labels),
                learner.learning_rates,
                study.seed,
                report,
            )
        return asdict(found)

    config, inputs = _scenario_key(context, project, field)
    config["learning_rates"] = list(learner.learning_rates)
    value: Any = context.run("calibrate", build, config, inputs).value
    return float(value["learning_rate"])


def drive(context: Context, project: CppProject, field: FieldData) -> dict[str, Any]:
    """What the scenario made of the program, on test streams."""
    study = context.study

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from scenarios.stream import Samples

        samples = Samples(field.features, field.labels)
        with reported("scenario") as report:
            found = study.scenario.run(_host(context, project), samples, study.seed, report)
        return asdict(found)

    return dict(context.run("scenario", build, *_scenario_key(context, project, field)).value)


def _scenario_key(
    context: Context, project: CppProject, field: FieldData
) -> tuple[dict[str, Json], dict[str, str]]:
    study = context.study
    config: dict[str, Json] = {"scenario": describe(study.scenario), "seed": study.seed}
    inputs = {"project": project.artifact.digest, "features": field.digest, **context.data}
    return config, inputs


def _inputs(images: Images, side: int, omega: Omega) -> npt.NDArray[np.generic]:
    pixels = resize(images.pixels, side)
    return to_codes(pixels) if omega.extractor.dtype == "int8" else normalise(pixels)


def _host(context: Context, project: CppProject) -> Any:
    from codegen.toolchain.host import HostModel

    # Never inside the project: its folder belongs to the store.
    return HostModel(project.artifact.path, context.store.root / "host")


@cache
def _codegen_digest() -> str:
    """Of the compiler itself: what it emits changes with any of its files."""
    return digest_of(Path(codegen.__file__).parent, lambda name: "__pycache__" not in name)


def _extractor_digest(project: CppProject) -> str:
    """Of the files that features depend on; the learner and the head are not among them."""
    own = ("src/extractor", "src/weights", "runtime/kernels")
    return digest_of(project.artifact.path, lambda name: name.startswith(own))
