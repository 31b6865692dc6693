"""The options of ``python -m codegen``, and which of them go together."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from codegen import catalogue, normalisation
from codegen.arguments import Parser, existing_file, new_file, new_folder, real, whole
from codegen.boards.board import MOST_WORK
from codegen.emit import folder
from codegen.learners.tybox import LEARNING_RATE, Loss
from codegen.limits import LEAST_RATE, MOST_CLASSES, MOST_PASSES, MOST_RATE, MOST_SAMPLES

OF_A_HEAD = (
    *("--new-head", "--buffer-samples", "--learner", "--training-images", "--training-labels"),
    *sorted(map(catalogue.option, catalogue.names())),
    *("--class-names", "--classes-file", "--golden-features"),
)


class UsageError(ValueError):
    """An option that is missing, or does not go with the others or the model."""


def parser() -> argparse.ArgumentParser:
    """What the command line is read by."""
    command = Parser(
        prog=_program(),
        description="A C++ project that classifies and keeps learning, from a .tflite classifier.",
        epilog="Exit codes: 0 written (with --dry-run: fits), 1 a compiler is missing or failed, "
        "or --verify found a difference, 2 wrong options or files, 3 does not fit and is not written, "
        "130 interrupted.",
    )
    add = command.add_argument
    add("model", nargs="?", type=existing_file, help="an int8 or float32 .tflite file")
    add("--device", help="a board's name, or a .toml file that describes one")
    add("--list-devices", action="store_true", help="name the boards, and end")
    add("--list-learners", action="store_true", help="name what learns, with its options, and end")
    add("--out", type=new_folder, help="the project's folder; files that you added to it are kept")
    add("--overwrite", action="store_true", help="replace generated files that were edited, too")
    add("--name", help="the project's name (default: the file's)")
    add("--dry-run", action="store_true", help="print the memory map only")
    add("--force", action="store_true", help="write a project that does not fit, too")
    add("--report", type=new_file, metavar="FILE.json", help="write all figures for machines")
    add(
        "--ram-first",
        type=real(1, MOST_WORK),
        metavar="LIMIT",
        help="the smallest arena with at most LIMIT times the multiply-adds (1: nothing is computed "
        "twice; default: operators one by one, unless RAM is too small for that)",
    )
    add(
        "--input-outside",
        action="store_true",
        help="read the input where the caller has it, as in flash or a camera's frame: none of the arena",
    )
    image = command.add_argument_group("a camera's bytes, for Model::load_image")
    normalisation.add_options(image, "from the file's metadata or its input's scale")
    head = command.add_argument_group("the head and how it learns")
    add = head.add_argument
    add(
        "--new-head",
        type=whole(2, MOST_CLASSES),
        metavar="N",
        help="a fresh head of N classes in place of the last layer",
    )
    add(
        "--inference-only",
        action="store_true",
        help="no head: a library of the whole model, for what does not tell classes apart",
    )
    where = head.add_mutually_exclusive_group()
    where.add_argument(
        "--cut",
        metavar="TENSOR",
        help="the model ends at this tensor, with --new-head its features",
    )
    where.add_argument(
        "--output", metavar="NAME", help="of a model with several outputs: the one that is kept"
    )
    add(
        "--learner",
        choices=tuple(catalogue.kinds()),
        help=f"default: {catalogue.DEFAULT}; --list-learners says what each is",
    )
    add("--buffer-samples", type=_samples, metavar="N|max", help="default: max, as many as fit")
    add(
        "--learning-rate",
        type=real(LEAST_RATE, MOST_RATE, "of normal float32 numbers"),
        help="of a pass over the buffer, for features of any size and number "
        f"(default: {LEARNING_RATE:g})",
    )
    add(
        "--passes",
        type=whole(1, MOST_PASSES, "each is over the whole buffer, for every label"),
        help="over the buffer for each label (default: 1)",
    )
    add("--loss", choices=get_args(Loss), help="default: cross_entropy")
    catalogue.add_options(head, frozenset({"learning_rate", "passes", "loss"}))
    for what, rows in (("images", "(N, H, W, C)"), ("labels", "(N,), whole numbers from 0")):
        add(
            f"--training-{what}",
            type=existing_file,
            metavar="FILE.npy",
            help=f"{rows}, for learners that start from moments of the training features",
        )
    names = head.add_mutually_exclusive_group()
    names.add_argument("--class-names", metavar="A,B,...", help="for the project's README")
    names.add_argument(
        "--classes-file", type=existing_file, metavar="FILE", help="the same, one on a line"
    )
    vectors = command.add_argument_group("golden vectors of the self-test")
    add = vectors.add_argument
    add(
        "--verify",
        action="store_true",
        help="compare with TensorFlow Lite Micro, which must be installed, on the golden images",
    )
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
    return command


def check(options: argparse.Namespace) -> None:
    """Refuse options that are missing or do not go together, before any work.

    Raises:
        UsageError: the message names the option.
        FolderError: what is in --out must not be replaced.
    """
    if options.model is None:
        raise UsageError("which model? --help shows how to name it")
    if options.device is None:
        raise UsageError("--device: which board? --list-devices names them")
    if options.out is None and not options.dry_run:
        raise UsageError("--out: which folder shall hold the project? (--dry-run writes none)")
    if options.cut and not (options.new_head or options.inference_only):
        raise UsageError(
            "--cut: where the model ends; --new-head N says what is to follow there, "
            "--inference-only that nothing is"
        )
    learning = [
        name for name in OF_A_HEAD if getattr(options, name[2:].replace("-", "_")) is not None
    ]
    if options.inference_only and learning:
        raise UsageError(f"{learning[0]}: is of a head, and --inference-only does without one")
    if (options.mean is None) != (options.std is None):
        raise UsageError("--mean: goes with --std, and the other way round")
    if options.inference_only and options.mean:
        raise UsageError("--mean: is of load_image, which --inference-only does without")
    _require_training(options)
    if options.verify and options.golden_features:
        raise UsageError("--verify: asks the oracle for what --golden-features gives")
    if options.golden_features and not options.golden:
        raise UsageError("--golden-features: needs the images that they belong to, --golden")
    if options.out is not None and not options.dry_run:
        folder.check(options.out, overwrite=options.overwrite)


def _require_training(options: argparse.Namespace) -> None:
    given = {
        name: getattr(options, name[2:].replace("-", "_"))
        for name in ("--training-images", "--training-labels")
    }
    learner = options.learner or catalogue.DEFAULT
    needed = catalogue.chosen(options).needs_statistics
    for name, path in given.items():
        if path is not None and not needed:
            raise UsageError(f"{name}: --learner {learner} needs none")
    for name, path in given.items():
        if path is None and needed and (any(given.values()) or not options.dry_run):
            raise UsageError(
                f"{name}: --learner {learner} starts from moments of the training features: "
                "give both --training-images and --training-labels"
            )


def _program() -> str:
    """How the user started this: by the command that a wheel installs, or from a checkout."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-codegen" else "python -m codegen"


def _samples(text: str) -> int | None:
    why = "counted in 32 bits; or max"
    return None if text == "max" else whole(1, MOST_SAMPLES, why)(text)
