"""``python -m codegen model.tflite --device nucleo_l4r5zi --out project``: a project from a file.

Exit codes: 0 the project was written (or, with --dry-run, fits); 1 a compiler is missing or failed;
2 the command line, the model or another file is wrong; 3 it does not fit the board, and nothing was
written; 130 interrupted. ``tinyml_nas`` has the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from codegen import durable, golden, report
from codegen.arguments import INTERRUPTED, Parser, existing_file, new_file, new_folder, real, whole
from codegen.boards import board
from codegen.emit import folder
from codegen.emit.emitter import emit
from codegen.frontend.cut import Split, split, with_new_head
from codegen.frontend.read import open_model
from codegen.ir import ModelError
from codegen.learners.base import Learner, tuned
from codegen.learners.tybox import Loss, Tybox
from codegen.limits import LEAST_RATE, MOST_PASSES, MOST_RATE, MOST_SAMPLES
from codegen.memory.fit import Fit, Size, fit
from codegen.project import Golden, Project
from codegen.toolchain.run import ToolchainError

WRITTEN, FAILED, WRONG, DOES_NOT_FIT = 0, 1, 2, 3


class UsageError(ValueError):
    """An option that is missing, or does not go with the others or the model."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.list_devices:
            return _list_devices()
        return _generate(options)
    except ToolchainError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except folder.FolderError as error:
        sys.stderr.write(f"error: {error} (--overwrite)\n")
        return WRONG
    except (ValueError, OSError) as error:  # ModelError and others that name what is wrong
        sys.stderr.write(f"error: {error}\n")
        full = isinstance(error, OSError) and error.errno in durable.OF_THE_DISK
        return FAILED if full else WRONG
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED


def _list_devices() -> int:
    for name in board.names():
        device = board.load(name)
        sizes = f"{device.flash_bytes // 1024:>5} KiB flash {device.ram_bytes // 1024:>5} KiB RAM"
        _say(f"{name:<20}{device.core:<13}{device.clock_hz / 1e6:>4g} MHz{sizes}")
    return WRITTEN


def _generate(options: argparse.Namespace) -> int:
    _require(options)
    parts = _take_apart(options)
    names = _class_names(options, parts.head.classes)
    learner = Tybox(options.learning_rate or 1.0, passes=options.passes, loss=options.loss)
    fitted = fit(parts.extractor, learner, parts.head.classes, board.load(options.device), names)
    size = fitted.size()
    if options.buffer_samples:
        size = fitted.of(options.buffer_samples, "--buffer-samples")
    _say(report.description(options.model.name, parts, fitted), "")
    _say(report.memory_text(fitted, size) + _why(options, fitted), "")
    too_large = bool(size.shortfall)
    if too_large:
        sys.stderr.write(f"does not fit:\n{report.shortfall_text(fitted, size)}\n")
    project = None
    if not options.dry_run and (options.force or not too_large):
        project = _project(options, parts, fitted, size, names)
        emit(project, options.out, overwrite=options.overwrite)
        _say_written(project, options.out)
    if options.report:
        content = report.machine_readable(options.model.name, parts, fitted, size)
        _write_report(options, content, project, learner)
    return DOES_NOT_FIT if too_large and project is None else WRITTEN


def _require(options: argparse.Namespace) -> None:
    if options.model is None:
        raise UsageError("which model? --help shows how to name it")
    if options.device is None:
        raise UsageError("--device: which board? --list-devices names them")
    if options.out is None and not options.dry_run:
        raise UsageError("--out: which folder shall hold the project? (--dry-run writes none)")
    if options.cut and not options.new_head:
        raise UsageError("--cut: where the model ends; --new-head N says what is to follow there")
    if options.golden_features and not options.golden:
        raise UsageError("--golden-features: needs the images that they belong to, --golden")
    if options.out is not None and not options.dry_run:
        folder.check(options.out, overwrite=options.overwrite)


def _take_apart(options: argparse.Namespace) -> Split:
    graph = open_model(options.model, options.cut or options.output or "")
    try:
        if options.new_head:
            return with_new_head(graph, options.new_head, cut=bool(options.cut))
        return split(graph)
    except ModelError as error:
        raise ModelError(f"{options.model}: {error}") from error


def _class_names(options: argparse.Namespace, classes: int) -> tuple[str, ...]:
    names: tuple[str, ...] = tuple(options.class_names.split(",")) if options.class_names else ()
    if options.classes_file:
        try:
            lines = options.classes_file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"--classes-file: {options.classes_file}: is no UTF-8: {error}"
            ) from None
        names = tuple(line.strip() for line in lines if line.strip())
    if names and len(names) != classes:
        raise UsageError(f"class names: the model has {classes} classes; got {len(names)} names")
    return names


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
) -> Project:
    """With golden vectors, and a learning rate that suits their features unless one is given."""
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
    )
    if options.golden_features:
        features = golden.load_features(options.golden_features, len(images), output)
        vectors = Golden(images, features, origin=f"the file {options.golden_features.name}")
    else:
        features = golden.host_features(project, images)
        vectors = Golden(images, features, origin="this project's own code, run on a computer")
    rate = options.learning_rate or golden.steady_rate(features, output, size.buffer_samples)
    learner = tuned(project.learner, {"learning_rate": rate})
    return replace(project, golden=vectors, learner=learner)


def _say_written(project: Project, out: Path) -> None:
    _say(
        f"written     {out}",
        f"learning    {', '.join(f'{k.name} {k.value:g}' for k in project.learner.knobs())}",
        f"golden      {len(project.golden.inputs)} images, features from {project.golden.origin}",
        f"next        cd {out} && cmake -B build && cmake --build build && ctest --test-dir build",
    )


def _write_report(
    options: argparse.Namespace,
    content: dict[str, Any],
    project: Project | None,
    learner: Learner,
) -> None:
    """Of a project that was not written, the learning rate may be open."""
    settings = learner if project is None else project.learner
    is_open = project is None and not options.learning_rate
    values = {knob.name: None if is_open else knob.value for knob in settings.knobs()}
    content["learner"] |= {**values, "passes": options.passes, "loss": options.loss}
    content["written"] = project is not None
    durable.write(options.report, json.dumps(content, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=_program(),
        description="A C++ project that classifies and keeps learning, from a .tflite classifier.",
        epilog="Exit codes: 0 written (with --dry-run: fits), 1 a compiler is missing or failed, "
        "2 wrong options or files, 3 does not fit and is not written, 130 interrupted.",
    )
    add = parser.add_argument
    add("model", nargs="?", type=existing_file, help="an int8 or float32 .tflite file")
    add("--device", help="a board's name, or a .toml file that describes one")
    add("--list-devices", action="store_true", help="name the boards, and end")
    add("--out", type=new_folder, help="the project's folder; files that you added to it are kept")
    add("--overwrite", action="store_true", help="replace generated files that were edited, too")
    add("--name", help="the project's name (default: the file's)")
    add("--dry-run", action="store_true", help="print the memory map only")
    add("--force", action="store_true", help="write a project that does not fit, too")
    add("--report", type=new_file, metavar="FILE.json", help="write all figures for machines")
    head = parser.add_argument_group("the head and how it learns")
    add = head.add_argument
    add(
        "--new-head",
        type=whole(2, 256),
        metavar="N",
        help="a fresh head of N classes in place of the last layer",
    )
    where = head.add_mutually_exclusive_group()
    where.add_argument(
        "--cut", metavar="TENSOR", help="with --new-head: features are this tensor of the model"
    )
    where.add_argument(
        "--output", metavar="NAME", help="of a model with several outputs: the one that is kept"
    )
    add("--buffer-samples", type=_samples, metavar="N|max", help="default: max, as many as fit")
    add(
        "--learning-rate",
        type=real(LEAST_RATE, MOST_RATE, "of normal float32 numbers"),
        help="default: suits the features of the golden vectors",
    )
    add(
        "--passes",
        type=whole(1, MOST_PASSES, "each is over the whole buffer, for every label"),
        default=1,
        help="over the buffer for each label (default: 1)",
    )
    add("--loss", choices=get_args(Loss), default="cross_entropy", help="default: cross_entropy")
    names = head.add_mutually_exclusive_group()
    names.add_argument("--class-names", metavar="A,B,...", help="for the project's README")
    names.add_argument(
        "--classes-file", type=existing_file, metavar="FILE", help="the same, one on a line"
    )
    vectors = parser.add_argument_group("golden vectors of the self-test")
    add = vectors.add_argument
    add(
        "--golden",
        type=existing_file,
        metavar="FILE.npy",
        help="images (N, H, W, C) (default: noise)",
    )
    add(
        "--golden-features",
        type=existing_file,
        metavar="FILE.npy",
        help="their features (N, F) from an oracle (default: from the project's own code)",
    )
    return parser


def _program() -> str:
    """How the user started this: by the command that a wheel installs, or from a checkout."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-codegen" else "python -m codegen"


def _samples(text: str) -> int | None:
    why = "counted in 32 bits; or max"
    return None if text == "max" else whole(1, MOST_SAMPLES, why)(text)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
