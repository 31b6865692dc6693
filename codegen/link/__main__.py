"""``python -m codegen.link PORT COMMAND``: talk to the firmware on a board.

For example, with a board on /dev/ttyACM0::

    python -m codegen.link /dev/ttyACM0 hello
    python -m codegen.link /dev/ttyACM0 classify photo.jpg
    python -m codegen.link /dev/ttyACM0 learn photo.jpg cat
    python -m codegen.link /dev/ttyACM0 stream data.npz --count 500 --csv run.csv
    python -m codegen.link /dev/ttyACM0 save
    python -m codegen.link /dev/ttyACM0 export learned.tmlh

Exit codes: 0 done; 1 the port or the board failed, or refused; 2 an argument or a file is wrong, and
the board was not changed; 130 interrupted. What a stream has learned by then is in its logs.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from codegen.arguments import INTERRUPTED
from codegen.link import state, wear
from codegen.link.client import Board, NoReply, ReplyError
from codegen.link.dataset import DataError, Samples, class_number, load, prepare
from codegen.link.faults import FaultError
from codegen.link.logs import CsvLog, JsonLog, LogError
from codegen.link.messages import BoardError, Hello, Stats, WrongVersionError
from codegen.link.options import UsageError, parse
from codegen.link.pictures import Pictures
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
        if options.command == "import":
            options.saved = state.read(options.file)
        if options.command in ("classify", "learn", "stream"):
            given = load(options.data, options.labels, options.split)
        with closing(SerialPort(options.port, options.baud)) as port:
            _run(Board(port, options.timeout, options.tries), options, given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return _failed("the output was closed", FAILED)
    except (DataError, LogError, UsageError, state.StateFileError) as error:
        return _failed(str(error), WRONG)
    except (BoardError, FaultError, NoReply, PortError, ReplyError, WrongVersionError) as error:
        return _failed(str(error), FAILED)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    return DONE


def _failed(message: str, code: int) -> int:
    line = " ".join(message.split())
    print(f"error: {line}", file=sys.stderr)
    return code


def _run(board: Board, options: argparse.Namespace, given: Samples | Pictures | None) -> None:
    command = options.command
    if given is not None:
        told = (options.mean, options.std) if options.mean else None
        samples = prepare(given, board.hello, told, labelled=command == "stream")
        if command == "stream":
            _stream(board, samples, options)
            return
        if options.index >= len(samples.labels):
            count = len(samples.labels)
            raise UsageError(f"--index: there are {count} images; got {options.index}")
        if command == "classify":
            _classify(board, samples, options.index)
        else:
            label = class_number(options.label, board.hello)
            _learn_one(board, samples.images[options.index], label)
    elif command == "hello":
        _table(board.hello)
    elif command == "stats":
        _stats(board.stats(), board.hello)
    elif command in ("memory", "timing"):
        _table(getattr(board, command)())
    else:
        print(f"{command}: {_act(board, options)}")


def _act(board: Board, options: argparse.Namespace) -> str:
    """Carry out a command that changes something; what was done, in words."""
    command = options.command
    if command == "save":
        return _saved(board.stats().saved_sequence, board.save())
    if command == "load":
        return f"head number {board.load()} is running, as it was saved"
    if command == "reset":
        board.reset()
        return "the first head is running; buffer and counts are empty, what is saved stays"
    if command == "export":
        learned = state.SavedState(board.hello.digest, board.state())
        state.write(options.file, learned, board.stats().saved_sequence)
        return f"{learned.numbers.nbytes:,} bytes of model {learned.digest} are in {options.file}"
    if command == "import":
        state.check(options.file, options.saved, board.hello.digest, board.hello.state_bytes)
        board.set_state(options.saved.numbers)
        return f"what {options.file} holds is running; nothing is saved until save"
    if command == "knob":
        if options.name not in board.hello.knobs:
            allowed = ", ".join(board.hello.knobs)
            raise UsageError(f"knob: {options.name}: the board's learner has {allowed}")
        board.set_knob(options.name, options.value)
        return f"{options.name} is {options.value:g}"
    board.set_autosave(options.every)
    return f"after every {options.every:,} samples" if options.every else "off"


def _classify(board: Board, samples: Samples, index: int) -> None:
    answer, label = board.classify(samples.images[index]), int(samples.labels[index])
    names = board.hello.class_names
    logits = answer.logits.astype(np.float64)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    print(f"{'class':>16} {'probability':>11} {'logit':>10}")
    for number in np.argsort(-logits, kind="stable").tolist():
        mark = "  <- the true label" if number == label else ""
        print(f"{names[number]:>16} {100 * shares[number]:9.1f} % {logits[number]:10.4f}{mark}")


def _learn_one(board: Board, image: npt.NDArray[np.generic], label: int) -> None:
    names = board.hello.class_names
    learned = board.learn(image, label)
    before, right = names[learned.prediction], learned.prediction == label
    print(
        f"learn: learned as {names[label]}; it was taken for {before}, {'' if right else 'not '}rightly"
    )
    now = names[board.classify(image).prediction]
    print(f"learn: now it is taken for {now}; nothing is saved until save")


def _saved(before: int, number: int) -> str:
    """What a save did to the flash."""
    if number == before:
        return f"head number {number} was in flash already: nothing was erased"
    return (
        f"head number {number} is in flash; erasures of its slot so far: {wear.erasures(number):,}"
    )


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
        ended, started = "interrupted", time.monotonic()
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
    stats, seconds = board.stats(), time.monotonic() - started
    _stats(stats, board.hello)
    told = wear.warning(sum(step.saved for step in steps), seconds, stats.saved_sequence)
    if told:
        print(told, file=sys.stderr)


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
    nothing = ("correct", "recent", "drift", "accuracy") if not stats.samples else ()
    for key in (*nothing, *(() if stats.alarms else ("last_alarm",))):
        rows[key] = "-"
    rows["saved_sequence"] = stats.saved_sequence or "-"
    rows["running"] = _running(stats)
    rows |= dict(zip(hello.knobs, stats.knobs, strict=True))
    for key, value in rows.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        print(f"{key:>18}  {shown:,}" if isinstance(shown, int) else f"{key:>18}  {shown}")
    for name, seen, correct in zip(hello.class_names, stats.seen, stats.correct_of, strict=True):
        share = f"{100 * correct / seen:5.1f} %  {correct} of {seen}" if seen else "    -"
        print(f"{name:>18}  {share}")


def _running(stats: Stats) -> str:
    """Which head classifies now."""
    if not stats.saved_sequence:
        return (
            "a head that is not saved" if stats.unsaved_updates else "the first head; none is saved"
        )
    if stats.unsaved_updates:
        return f"another head than the saved number {stats.saved_sequence}"
    return f"the saved head, number {stats.saved_sequence}"


if __name__ == "__main__":
    sys.exit(main())
