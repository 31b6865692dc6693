"""``python -m codegen.link PORT COMMAND``: talk to the firmware on a board.

For example, with a board on /dev/ttyACM0::

    python -m codegen.link /dev/ttyACM0 hello
    python -m codegen.link /dev/ttyACM0 stream data.npz --count 500 --csv run.csv
    python -m codegen.link /dev/ttyACM0 save

Exit codes: 0 done; 1 the port or the board failed, or refused; 2 an argument or a file is wrong, and
the board was not changed; 130 interrupted. What a stream has learned by then is in its logs.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from codegen.arguments import INTERRUPTED
from codegen.link.client import Board, NoReply, ReplyError
from codegen.link.dataset import DataError, Samples, load, prepare
from codegen.link.logs import CsvLog, JsonLog, LogError
from codegen.link.messages import BoardError, Hello, Stats, WrongVersionError
from codegen.link.options import UsageError, parse
from codegen.link.stream import Picture, Step, run

DONE, FAILED, WRONG = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show all of the picture
    options = parse(arguments)
    try:
        from codegen.link.port import PortError, SerialPort
    except ImportError:
        return _failed("pyserial is not installed: pip install pyserial", WRONG)
    try:
        given = None
        if options.command in ("classify", "stream"):
            given = load(options.data, options.labels, options.split)
        with closing(SerialPort(options.port, options.baud)) as port:
            _run(Board(port, options.timeout, options.tries), options, given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return _failed("the output was closed", FAILED)
    except (DataError, LogError, UsageError) as error:
        return _failed(str(error), WRONG)
    except (BoardError, NoReply, PortError, ReplyError, WrongVersionError) as error:
        return _failed(str(error), FAILED)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    return DONE


def _failed(message: str, code: int) -> int:
    line = " ".join(message.split())
    print(f"error: {line}", file=sys.stderr)
    return code


def _run(board: Board, options: argparse.Namespace, given: Samples | None) -> None:
    command = options.command
    if given is not None:
        samples = prepare(given, board.hello)
        if command == "classify":
            _classify(board, samples, options.index)
        else:
            _stream(board, samples, options)
    elif command == "hello":
        _table(board.hello)
    elif command == "stats":
        _stats(board.stats(), board.hello)
    elif command in ("memory", "timing"):
        _table(getattr(board, command)())
    elif command in ("save", "load"):
        print(f"{command}: head number {getattr(board, command)()}")
    elif command == "reset":
        board.reset()
    elif command == "knob":
        if options.name not in board.hello.knobs:
            allowed = ", ".join(board.hello.knobs)
            raise UsageError(f"knob: {options.name}: the board's learner has {allowed}")
        board.set_knob(options.name, options.value)
    else:
        board.set_autosave(options.every)


def _classify(board: Board, samples: Samples, index: int) -> None:
    if index >= len(samples.labels):
        raise UsageError(f"--index: there are {len(samples.labels)} images; got {index}")
    answer = board.classify(samples.images[index])
    names = board.hello.class_names
    for number in np.argsort(-answer.logits, kind="stable").tolist():
        print(f"{names[number]:>16} {answer.logits[number]:10.4f}")


def _stream(board: Board, samples: Samples, options: argparse.Namespace) -> None:
    order = np.arange(len(samples.labels))
    if options.shuffle is not None:
        order = np.random.default_rng(options.shuffle).permutation(order)
    order = order[options.skip :][: options.count]
    if not len(order):
        raise UsageError(f"--skip: leaves none of {len(samples.labels)} samples")
    steps: list[Step] = []
    sinks: list[Callable[[Step], object]] = [steps.append]
    with ExitStack() as stack:
        if options.csv:
            sinks.append(stack.enter_context(closing(CsvLog(options.csv))))
        log = stack.enter_context(closing(JsonLog(options.json, board))) if options.json else None
        ended = "interrupted"
        try:
            if options.autosave is not None:
                board.set_autosave(options.autosave)
            _learn(board, samples, order, sinks)
            if log:
                log.ask()
            ended = "complete"
        except Exception as error:
            ended = str(error)
            raise
        finally:
            if log and steps:
                log.write(steps, ended)
    _stats(board.stats(), board.hello)


def _learn(
    board: Board,
    samples: Samples,
    order: npt.NDArray[np.int64],
    sinks: Sequence[Callable[[Step], object]],
) -> None:
    """Stream, and draw how it goes; the logs come first, in case that the picture cannot be shown."""
    picture = Picture(len(order))
    try:
        run(board, samples, order, *sinks, picture)
    finally:
        picture.end()


def _table(answer: object) -> None:
    for key, value in asdict(answer).items():  # type: ignore[call-overload]  # a dataclass
        print(f"{key:>18}  {value:,}" if type(value) is int else f"{key:>18}  {value}")


def _stats(stats: Stats, hello: Hello) -> None:
    rows = {key: value for key, value in asdict(stats).items() if not isinstance(value, list)}
    rows["accuracy"] = stats.accuracy
    rows |= dict(zip(hello.knobs, stats.knobs, strict=True))
    for key, value in rows.items():
        print(f"{key:>18}  {value:.4g}" if isinstance(value, float) else f"{key:>18}  {value:,}")
    for name, seen, correct in zip(hello.class_names, stats.seen, stats.correct_of, strict=True):
        share = f"{100 * correct / seen:5.1f} %" if seen else "    - "
        print(f"{name:>18}  {share}  {correct} of {seen}")


if __name__ == "__main__":
    sys.exit(main())
