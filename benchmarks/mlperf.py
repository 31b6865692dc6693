"""The host's end of MLPerf Tiny's text protocol: what its runner does with a board, without the runner.

    cmake -B build-arm -DCMAKE_TOOLCHAIN_FILE=cmake/arm-none-eabi.cmake -DMLPERF=ic01    # of a project
    python -m benchmarks.mlperf /dev/ttyACM0 DATA/ic01                                   # accuracy
    python -m benchmarks.mlperf /dev/ttyACM0 DATA/ic01 --infer 20 --warmups 5 --files 5  # performance

A folder of data is as the runner has it: ``y_labels.csv`` with a file, the number of classes and the class
in a line, and for ``ad01`` the bytes and the stride of a window. Written from the protocol's facts
(github.com/mlcommons/tiny, ``benchmark/api`` and ``benchmark/runner``).
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np

from codegen.link.port import SerialPort

BYTES_OF_A_COMMAND = 31
TIMEOUT_S = 5.0
INFER_TIMEOUT_S = 600.0
QUIET_S = 0.2


class Port(Protocol):
    """What carries the characters."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; empty after ``timeout_s``."""

    def write(self, data: bytes) -> None:
        """Send all of it."""


class ProtocolError(RuntimeError):
    """The board said something else than the protocol has, or nothing."""


@dataclass(frozen=True)
class Inference:
    """One ``infer``: its vector of results, and the time between the two timestamps."""

    results: tuple[float, ...]
    elapsed_us: int


class Device:
    """A board that speaks the protocol."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._pending = b""
        while port.read(QUIET_S):  # a greeting, or what an earlier host did not wait for
            pass

    def command(self, text: str, timeout_s: float = TIMEOUT_S) -> list[str]:
        """Send a command; the lines of its reply, without the ``m-ready`` that ends it.

        Raises:
            ProtocolError: the reply does not end, or one of its lines is an error (``e-[...]``).
        """
        self._port.write(text.encode("ascii") + b"%")
        lines = list(self._lines(text, timeout_s))
        errors = [line for line in lines if line.startswith("e-[")]
        if errors:
            raise ProtocolError(f"{text[:40]}: {'; '.join(errors)}")
        return lines

    def name(self) -> str:
        """Who made the device."""
        return self._field("name", r"m-name-dut-\[([^]]+)\]")

    def model(self) -> str:
        """The test that the firmware is for, as ``ic01``."""
        return self._field("profile", r"m-model-\[([^]]+)\]")

    def load(self, data: bytes) -> None:
        """Bring the bytes of an input to the board."""
        self.command(f"db load {len(data)}")
        reply: list[str] = []
        for start in range(0, len(data), BYTES_OF_A_COMMAND):
            reply = self.command(f"db {data[start : start + BYTES_OF_A_COMMAND].hex()}")
        if reply != ["m-load-done"]:
            raise ProtocolError(f"db: the last bytes were answered {reply}, not m-load-done")

    def infer(self, times: int = 1, warmups: int = 0) -> Inference:
        """Run the loaded input ``times`` times, after ``warmups``."""
        reply = self.command(f"infer {times} {warmups}", INFER_TIMEOUT_S)
        order = (
            rf"m-warmup-start-{warmups}\nm-warmup-done\nm-infer-start-{times}\nm-lap-us-(\d+)\n"
            r"m-lap-us-(\d+)\nm-infer-done\nm-results-\[([^]]+)\]"
        )
        found = re.fullmatch(order, "\n".join(reply))
        if found is None:
            raise ProtocolError(f"infer: the reply has other lines: {reply}")
        results = tuple(float(value) for value in found[3].split(","))
        return Inference(results, int(found[2]) - int(found[1]))

    def _field(self, command: str, pattern: str) -> str:
        for line in self.command(command):
            if found := re.fullmatch(pattern, line):
                return found[1]
        raise ProtocolError(f"{command}: no line of the reply matches {pattern}")

    def _lines(self, command: str, timeout_s: float) -> Iterator[str]:
        until = time.monotonic() + timeout_s
        while True:
            line, end, rest = self._pending.partition(b"\n")
            if end:
                self._pending = rest
                text = line.decode("ascii").strip("\r")
                if text == "m-ready":
                    return
                yield text
                continue
            left = until - time.monotonic()
            if left <= 0:
                raise ProtocolError(f"{command[:40]}: no m-ready within {timeout_s:g} s")
            self._pending += self._port.read(left)


@dataclass(frozen=True)
class Sample:
    """A file of the data: its class, and the inputs that it holds."""

    name: str
    label: int
    inputs: tuple[bytes, ...]


def samples(folder: Path) -> Iterator[Sample]:
    """What ``y_labels.csv`` of ``folder`` names, in its order."""
    with (folder / "y_labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            name, label = row[0], int(row[2])
            data = (folder / name).read_bytes()
            size, stride = (int(row[3]), int(row[4])) if len(row) > 4 else (len(data), len(data))
            starts = range(0, len(data) - size + 1, stride)
            yield Sample(name, label, tuple(data[start : start + size] for start in starts))


def scores(device: Device, data: list[Sample]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The mean vector of results (N, R) of each sample's inputs."""
    rows = []
    for sample in data:
        found = []
        for content in sample.inputs:
            device.load(content)
            found.append(device.infer().results)
        rows.append(np.mean(found, axis=0))
    return np.array(rows, np.float64)


def area_under_curve(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], labels: list[int]
) -> float:
    """How often one of class 1 scores above one of class 0; ties are halves (Mann and Whitney 1947)."""
    marks = np.array(labels)
    difference = scores[marks == 1][:, np.newaxis] - scores[marks == 0]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def accuracy(device: Device, data: list[Sample]) -> str:
    """The figure of the accuracy mode, in words: the share of right classes, or an area for one score."""
    rows, labels = scores(device, data), [sample.label for sample in data]
    if rows.shape[1] == 1:
        return f"AUC = {area_under_curve(rows[:, 0], labels):.3f} of {len(data)} files"
    right = int(np.sum(np.argmax(rows, axis=1) == labels))
    return f"top-1 = {100 * right / len(data):.2f} %, {right} of {len(data)} files"


def performance(device: Device, data: list[Sample], times: int, warmups: int) -> list[float]:
    """Inferences a second, of the first input of each sample."""
    rates = []
    for sample in data:
        device.load(sample.inputs[0])
        rates.append(times * 1e6 / device.infer(times, warmups).elapsed_us)
    return rates


def main() -> None:
    """Accuracy over all files, or performance with ``--infer``."""
    parser = argparse.ArgumentParser(description="Run a board as MLPerf Tiny's runner does.")
    parser.add_argument("port", help="/dev/ttyACM0, COM3 or a pseudo-terminal of QEMU")
    parser.add_argument("folder", type=Path, help="y_labels.csv and the files that it names")
    parser.add_argument("--infer", type=int, default=0, help="measure the rate of so many at once")
    parser.add_argument("--warmups", type=int, default=10)
    parser.add_argument("--files", type=int, help="only the first ones")
    arguments = parser.parse_args()
    data = list(samples(arguments.folder))[: arguments.files]
    with closing(SerialPort(arguments.port)) as port:
        device = Device(port)
        sys.stdout.write(f"{device.name()}, {device.model()}\n")
        if not arguments.infer:
            sys.stdout.write(accuracy(device, data) + "\n")
            return
        rates = performance(device, data, arguments.infer, arguments.warmups)
        sys.stdout.write(
            f"median throughput is {median(rates):.3f} inferences a second "
            f"({', '.join(f'{rate:.3f}' for rate in rates)})\n"
        )


if __name__ == "__main__":
    main()
