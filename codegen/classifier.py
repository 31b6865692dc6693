"""``python -m codegen``: a project of a model that tells classes apart, with a head that goes on learning."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from codegen import catalogue, durable, golden, oracle, report, training
from codegen.boards import board
from codegen.emit.emitter import emit
from codegen.frontend.cut import Split, split, with_new_head
from codegen.frontend.metadata import normalisation_in
from codegen.frontend.read import naming, open_model
from codegen.ir import Tensor, read_outside
from codegen.learners.base import Learner, compiled_classes
from codegen.memory.fit import Fit, Size, fit
from codegen.normalisation import Normalisation
from codegen.options import UsageError
from codegen.project import Golden, Project


def generate(options: argparse.Namespace) -> tuple[bool, bool]:
    """Plan, print, and write what the command line asks for: whether it fits, and whether it was written."""
    parts = _take_apart(options)
    pixels = _normalisation(options, parts.extractor.input)
    learner = catalogue.chosen(options)
    classes = compiled_classes(learner, parts.head.classes)
    names = _class_names(options, {parts.head.classes, classes})
    fitted = fit(
        parts.extractor, learner, classes, board.load(options.device, options.ram_first), names
    )
    size = fitted.size()
    if options.buffer_samples:
        if not learner.most_samples:
            raise UsageError(f"--buffer-samples: --learner {options.learner} keeps no samples")
        size = fitted.of(options.buffer_samples, "--buffer-samples")
    _say(report.description(options.model.name, parts, fitted), "")
    _say(report.memory_text(fitted, size) + _why(options, fitted), "")
    too_large = bool(size.shortfall)
    if too_large:
        sys.stderr.write(f"does not fit:\n{report.shortfall_text(fitted, size)}\n")
    project = None
    if not options.dry_run and (options.force or not too_large):
        project = _project(options, parts, fitted, size, names, pixels)
        emit(project, options.out, overwrite=options.overwrite)
        _say_written(project, options.out)
    if options.report:
        content = report.machine_readable(options.model.name, parts, fitted, size)
        _write_report(options, content, project, learner)
    return not too_large, project is not None


def _take_apart(options: argparse.Namespace) -> Split:
    graph = open_model(options.model, options.cut or options.output or "")
    with naming(options.model):
        if options.new_head:
            parts = with_new_head(graph, options.new_head, cut=bool(options.cut))
        else:
            parts = split(graph)
    outside = options.input_outside
    return replace(parts, extractor=read_outside(parts.extractor)) if outside else parts


def _class_names(options: argparse.Namespace, classes: set[int]) -> tuple[str, ...]:
    names: tuple[str, ...] = tuple(options.class_names.split(",")) if options.class_names else ()
    if options.classes_file:
        try:
            lines = options.classes_file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"--classes-file: {options.classes_file}: is no UTF-8: {error}"
            ) from None
        names = tuple(line.strip() for line in lines if line.strip())
    if names and len(names) not in classes:
        counts = " or ".join(map(str, sorted(classes)))
        raise UsageError(f"class names: the model has {counts} classes; got {len(names)} names")
    return names


def _normalisation(options: argparse.Namespace, source: Tensor) -> Normalisation | None:
    """How the training saw a byte, where somebody says so; else the input's scale may tell."""
    if options.mean is not None:
        if len(source.shape) != 4 or source.shape[1] == 1:
            raise UsageError(f"--mean: is of images; the model's input is {source.shape}")
        return Normalisation.of(options.mean, options.std, source, "--mean and --std")
    told = normalisation_in(options.model.read_bytes()) if options.model.is_file() else None
    try:
        return told and Normalisation.of(*told, source, "by the file's metadata")
    except ValueError:  # many quantized files state 0 and 1, and mean that bytes are the codes
        return None


def _why(options: argparse.Namespace, fitted: Fit) -> str:
    if options.buffer_samples:
        return f" (asked for; {fitted.most_samples:,} would fit)"
    return ", as many as fit" if fitted.most_samples else ""


def _project(
    options: argparse.Namespace,
    parts: Split,
    fitted: Fit,
    size: Size,
    names: tuple[str, ...],
    pixels: Normalisation | None,
) -> Project:
    """With golden vectors."""
    source, output = parts.extractor.input, parts.extractor.output
    images = golden.generated_images(source)
    if options.golden:
        images = golden.load_images(options.golden, source)
    project = Project(
        name=options.name or options.model.stem,
        graph=parts.extractor,
        head=parts.head,
        learner=fitted.learner,
        buffer_samples=size.buffer_samples,
        board=fitted.board,
        golden=Golden(images, images),
        class_names=names,
        normalisation=pixels,
    )
    if project.learner.needs_statistics:
        found = training.statistics(project, options.training_images, options.training_labels)
        project = replace(project, statistics=found)
    if options.golden_features:
        features = golden.load_features(options.golden_features, len(images), output)
        vectors = Golden(images, features, origin=f"the file {options.golden_features.name}")
    else:
        features = golden.host_features(project, images)
        vectors = Golden(images, features, origin="this project's own code, run on a computer")
    if options.verify:
        oracle.verify(options.model, parts.source, images, source, features)
        vectors = replace(vectors, origin=oracle.origin(options.golden))
    return replace(project, golden=vectors)


def _say_written(project: Project, out: Path) -> None:
    _say(
        f"written     {out}",
        f"learning    {', '.join(f'{k.name} {k.value:g}' for k in project.learner.knobs())}",
        f"camera      {_seen(project)}",
        f"golden      {len(project.golden.inputs)} inputs, features from {project.golden.origin}",
        f"next        cd {out} && cmake -B build && cmake --build build && ctest --test-dir build",
    )


def _seen(project: Project) -> str:
    if project.graph.input.shape[1] == 1:
        return "none: the input is no image"
    told = "no load_image: how the training normalised bytes is not known (--mean, --std)"
    return project.pixels.text() if project.pixels else told


def _write_report(
    options: argparse.Namespace,
    content: dict[str, Any],
    project: Project | None,
    learner: Learner,
) -> None:
    content["learner"] |= {
        "name": options.learner or catalogue.DEFAULT,
        **catalogue.values(learner),
    }
    content["written"] = project is not None
    durable.write(options.report, json.dumps(content, indent=2) + "\n")


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
