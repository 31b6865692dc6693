"""The command line of ``python -m codegen.link``, checked before a port is opened."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen import normalisation
from codegen.arguments import Parser, existing_file, real, whole
from codegen.link.dataset import CIFAR10_FILES

MOST = 2**32 - 1
MOST_KNOB = 3.4e38  # what fits a float; the board knows the knob's own range
FASTEST_BAUD = 20_000_000
LONGEST_TIMEOUT_S = 3600.0
MOST_TRIES = 1000
LEAST_AUTOSAVE = 16  # as platform/application.cpp


class UsageError(ValueError):
    """An argument that does not go with the data or the board; the message names it."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command line.

    Raises:
        SystemExit: they are wrong (2; one line tells which), or help was asked for.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if (getattr(options, "mean", None) is None) != (getattr(options, "std", None) is None):
        parser.error("argument --mean: goes with --std, and the other way round")
    if options.command == "stream":
        logs = {"--csv": options.csv, "--json": options.json}
        used: dict[Path, str] = {}
        for name, path in {"data": options.data, "--labels": options.labels, **logs}.items():
            if path is None:
                continue
            place = _place(parser, name, path)
            if place in used and name in logs:
                parser.error(f"argument {name}: is the same file as {used[place]}: {path}")
            used[place] = name
    return options


def _place(parser: Parser, name: str, path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a zero byte, links in a circle
        parser.error(f"argument {name}: {path}: {error}")


def _autosave(text: str) -> int:
    if text.strip() == "0":
        return 0
    return whole(LEAST_AUTOSAVE, MOST, "or 0 for never")(text)


def _program() -> str:
    """How the user started this: by the command that a wheel installs, or from a checkout."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-link" else "python -m codegen.link"


def _parser() -> Parser:
    parser = Parser(
        prog=_program(),
        description="Talk to the firmware of a generated project over a serial port.",
        epilog="Exit codes: 0 done, 1 the port or the board failed or refused, 2 an argument or a "
        "file is wrong, 130 interrupted.",
    )
    parser.add_argument("port", help="/dev/ttyACM0, COM3, or an emulator's pseudo-terminal")
    parser.add_argument("--baud", type=whole(1, FASTEST_BAUD), default=115200)
    parser.add_argument(
        "--timeout",
        type=real(0.001, LONGEST_TIMEOUT_S),
        default=5.0,
        help="seconds of waiting for a reply, beside what the board needs to compute, after which a request "
        "is sent again (default: %(default)g)",
    )
    parser.add_argument(
        "--tries",
        type=whole(1, MOST_TRIES),
        default=5,
        help="how many such times pass before it is given up (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "export": "write what the board has learned to a file",
        "import": "put what export wrote in place of what the board has learned",
    }.items():
        commands.add_parser(name, help=text).add_argument("file", type=Path)
    for name, text in {
        "hello": "which model the board runs",
        "stats": "accuracy, drift and the learner's state",
        "memory": "bytes of RAM by part, and the stack's high-water mark",
        "timing": "ticks of the last image and the last learning step",
        "save": "save the head in flash",
        "load": "go back to the head that was saved last",
        "reset": "back to the first head; what is saved stays",
    }.items():
        commands.add_parser(name, help=text)
    knob = commands.add_parser("knob", help="set a number of the learner's, such as learning_rate")
    knob.add_argument("name", help="hello lists them")
    knob.add_argument("value", type=real(-MOST_KNOB, MOST_KNOB))
    autosave = commands.add_parser("autosave", help="save by itself every so many samples")
    autosave.add_argument("every", type=_autosave, help="at least 16; 0 turns it off")
    classify = commands.add_parser(
        "classify", help="classify a picture, or one image of a data set"
    )
    learn = commands.add_parser(
        "learn", help="learn one image under its label, as to mend a mistake"
    )
    for command in (classify, learn):
        command.add_argument(
            "--index", type=whole(0, MOST), default=0, help="which of several (default: the first)"
        )
    stream = commands.add_parser("stream", help="let the board learn a data set, and draw how")
    add = stream.add_argument
    add("--count", type=whole(1, MOST), help="how many samples (default: all)")
    add("--skip", type=whole(0, MOST), default=0, help="leave out the first ones")
    add("--shuffle", type=whole(0, MOST), metavar="SEED", help="in a random order")
    add("--autosave", type=_autosave, metavar="N", help="save every N samples")
    add("--csv", type=Path, help="write every sample to this file")
    add("--json", type=Path, help="write the whole run to this file")
    for command in (classify, learn, stream):
        command.add_argument(
            "data",
            type=Path,
            help="a picture, a folder of pictures or one with a folder for each class, an .npz file "
            "with images and labels, an .npy file of images, or CIFAR-10's folder (binary version)",
        )
        command.add_argument(
            "--labels", type=existing_file, help="an .npy file, for images in another"
        )
        command.add_argument("--split", choices=sorted(CIFAR10_FILES), default="test")
        normalisation.add_options(command, "as the scale of the board's input tells")
    learn.add_argument("label", help="the class's name or number")
    return parser
