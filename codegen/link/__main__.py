"""``python -m codegen.link PORT COMMAND``: talk to the firmware on a board.

For example, with a board on /dev/ttyACM0::

    python -m codegen.link /dev/ttyACM0 hello
    python -m codegen.link /dev/ttyACM0 stream data.npz --count 500 --csv run.csv
    python -m codegen.link /dev/ttyACM0 save
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

import numpy as np

from codegen.link.client import Board, NoReply
from codegen.link.dataset import CIFAR10_FILES, DataError, load, prepare
from codegen.link.messages import BoardError, Stats
from codegen.link.stream import CsvLog, Picture, run, write_json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        from codegen.link.port import PortError, SerialPort
    except ImportError:
        print("error: pyserial is not installed: pip install pyserial", file=sys.stderr)
        return 2
    try:
        with closing(SerialPort(options.port, options.baud)) as port:
            board = Board(port, options.timeout, options.tries)
            _run(board, options)
    except (BoardError, NoReply, DataError, PortError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(board: Board, options: argparse.Namespace) -> None:
    command = options.command
    if command == "hello":
        _table(board.hello)
    elif command == "stats":
        _stats(board.stats(), board.hello.class_names)
    elif command in ("memory", "timing"):
        _table(getattr(board, command)())
    elif command in ("save", "load"):
        print(f"{command}: head number {getattr(board, command)()}")
    elif command == "reset":
        board.reset()
    elif command == "rate":
        board.set_learning_rate(options.value)
    elif command == "autosave":
        board.set_autosave(options.every)
    elif command == "classify":
        samples = prepare(load(options.data, options.labels, options.split), board.hello)
        answer = board.classify(samples.images[options.index])
        names = board.hello.class_names
        for number in np.argsort(-answer.logits, kind="stable").tolist():
            print(f"{names[number]:>16} {answer.logits[number]:10.4f}")
    else:
        _stream(board, options)


def _stream(board: Board, options: argparse.Namespace) -> None:
    samples = prepare(load(options.data, options.labels, options.split), board.hello)
    order = np.arange(len(samples.labels))
    if options.shuffle is not None:
        order = np.random.default_rng(options.shuffle).permutation(order)
    order = order[options.skip :][: options.count]
    if options.autosave is not None:
        board.set_autosave(options.autosave)
    picture = Picture(len(order))
    with ExitStack() as stack:
        logs = [stack.enter_context(closing(CsvLog(options.csv)))] if options.csv else []
        try:
            steps = run(board, samples, order, picture, *logs)
        finally:
            picture.end()
    if options.json:
        write_json(options.json, board, steps)
    _stats(board.stats(), board.hello.class_names)


def _table(answer: object) -> None:
    for key, value in asdict(answer).items():  # type: ignore[call-overload]  # a dataclass
        print(f"{key:>18}  {value:,}" if type(value) is int else f"{key:>18}  {value}")


def _stats(stats: Stats, names: tuple[str, ...]) -> None:
    rows = {key: value for key, value in asdict(stats).items() if not isinstance(value, list)}
    rows["accuracy"] = stats.accuracy
    for key, value in rows.items():
        print(f"{key:>18}  {value:.4g}" if isinstance(value, float) else f"{key:>18}  {value:,}")
    for name, seen, correct in zip(names, stats.seen, stats.correct_of, strict=True):
        share = f"{100 * correct / seen:5.1f} %" if seen else "    - "
        print(f"{name:>18}  {share}  {correct} of {seen}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_program(),
        description="Talk to the firmware of a generated project over a serial port.",
    )
    parser.add_argument("port", help="/dev/ttyACM0, COM3, or an emulator's pseudo-terminal")
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds to wait for a reply")
    parser.add_argument("--tries", type=int, default=5, help="how often a request is sent")
    commands = parser.add_subparsers(dest="command", required=True)
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
    rate = commands.add_parser("rate", help="set the learning rate")
    rate.add_argument("value", type=float)
    autosave = commands.add_parser("autosave", help="save by itself every so many samples")
    autosave.add_argument("every", type=int, help="at least 16; 0 turns it off")
    classify = commands.add_parser("classify", help="classify one image of a data set")
    classify.add_argument("--index", type=int, default=0)
    stream = commands.add_parser("stream", help="let the board learn a data set, and draw how")
    stream.add_argument("--count", type=int, help="how many samples (default: all)")
    stream.add_argument("--skip", type=int, default=0, help="leave out the first ones")
    stream.add_argument("--shuffle", type=int, metavar="SEED", help="in a random order")
    stream.add_argument("--autosave", type=int, metavar="N", help="save every N samples")
    stream.add_argument("--csv", type=Path, help="write every sample to this file")
    stream.add_argument("--json", type=Path, help="write the whole run to this file")
    for command in (classify, stream):
        command.add_argument(
            "data",
            type=Path,
            help="an .npz file with images and labels, an .npy file of images, "
            "or a folder with CIFAR-10 in its binary version",
        )
        command.add_argument("--labels", type=Path, help="an .npy file, for images in another")
        command.add_argument("--split", choices=sorted(CIFAR10_FILES), default="test")
    return parser


def _program() -> str:
    """How the user started this: by the command that a wheel installs, or from a checkout."""
    name = Path(sys.argv[0]).name
    return name if name == "tinyml-link" else "python -m codegen.link"


if __name__ == "__main__":
    sys.exit(main())
