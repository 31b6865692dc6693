"""The firmware without kernels: its runtime, drivers and learners, each by the difference that it makes."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import numpy as np

from codegen import learners
from codegen.boards.board import Board, load, names
from codegen.boards.clocks import RESET_CLOCK
from codegen.boards.drivers import NO_PORT, NO_STORAGE
from codegen.emit.emitter import context_of, emit
from codegen.ir import DType, Graph, Op, Quantization, Tensor
from codegen.learners.alarm import ALARM
from codegen.learners.base import Learner
from codegen.learners.statistics import statistics_of
from codegen.learners.tybox import BufferName, Tybox
from codegen.memory.code_size import RUNTIME_CLASSES, STEP_BYTES
from codegen.memory.work import Work
from codegen.project import Golden, HeadWeights, Project
from codegen.toolchain import elf
from codegen.toolchain import run as toolchain
from codegen.toolchain.target import build_firmware
from tools.code_size.programs import TIMEOUT_S, run, sections

FEATURES = 46
# Up to 20 classes the learner's loops are unrolled; then by fours.
CLASSES = (*range(2, 25), 100, 101, 102, 103)
# No drivers: what they add is measured of each.
BARE = replace(load("arduino_nano33ble"), serial=NO_PORT, storage=NO_STORAGE)
# The memory map of a project asks for what is measured here.
SIZES_UNKNOWN = mock.patch("codegen.memory.map.code_bytes", return_value=0)
WORK_UNKNOWN = mock.patch("codegen.emit.emitter.work_of", return_value=Work(0, 0, 1, 0))

ERROR_UNKNOWN = mock.patch(
    "codegen.emit.emitter.work_error", return_value={"least": 0.0, "most": 0.0}
)


@contextmanager
def unmeasured() -> Generator[None]:
    """A project can be emitted before what its memory map and its times are made of is measured."""
    with SIZES_UNKNOWN, WORK_UNKNOWN, ERROR_UNKNOWN:
        yield


class Firmware:
    """The program without kernels, built by cmake, then linked anew with other learners."""

    def __init__(self, core: str, folder: Path) -> None:
        self.core, self.folder = core, folder
        self.total, program = self._build("user", BARE)
        self.vectors = sum(s.size_bytes for s in program.sections if s.name == ".vectors")
        self.link = (folder / "user/build/CMakeFiles/firmware.dir/link.txt").read_text()
        self.flags = self._flags(folder / "user" / "build" / "CMakeFiles" / "tinyml_identity.dir")
        self.small = self._flags(folder / "user" / "build" / "CMakeFiles" / "firmware.dir")

    def figures(self, classes: Sequence[int] = CLASSES) -> dict[str, Any]:
        """Bytes of the runtime, of its parts that boards add, and by how much classes change it."""
        reference, libraries = self._learner(RUNTIME_CLASSES, "int8")
        learner = {
            dtype: {str(n): self._learner(n, dtype)[0] - reference for n in classes}
            for dtype in ("float32", "int8")
        }
        return {
            "learners": self.learners(),
            "runtime": self.total,
            "clock": self.clock(),
            "vectors": self.vectors,
            "drivers": self.drivers(),
            "learner": learner,
            "libraries": libraries,
        }

    def clock(self) -> int:
        """What goes through the steps that set up a board's clocks, without the steps."""
        clock = replace(load("nucleo_l4r5zi").clock, hz=BARE.clock_hz)  # as many as real ones have
        total, _ = self._build("clock", replace(BARE, clock=clock))
        return total - self.total - STEP_BYTES * len(clock.steps)

    def drivers(self) -> dict[str, int]:
        """By how much each driver of a serial port or a flash memory makes the firmware larger."""
        found = {}
        for known in map(load, names()):
            board = replace(known, clock=RESET_CLOCK)  # whose steps are counted by themselves
            port, flash = board.serial, board.storage
            silent = replace(board, storage_bytes=0, erase_bytes=0, storage_origin=0)
            if port.driver != "user" and port.source not in found:
                found[port.source] = self._build(port.driver, silent)[0] - self.total
            if flash.driver != "none" and flash.driver not in found:
                mute = replace(board, serial=NO_PORT)
                boot = bool(board.boot_bytes)
                found[flash.driver] = self._build(flash.driver, mute, boot=boot)[0] - self.total
        return found

    def _build(self, name: str, board: Board, *, boot: bool = False) -> tuple[int, elf.Program]:
        """Bytes of flash beside the head, the vectors included, and the program."""
        base = replace(board, core=self.core, emulator="", boot_block="")
        project = identity(base, RUNTIME_CLASSES, "int8")
        with unmeasured():
            emit(project, self.folder / name / "project")
        built = build_firmware(self.folder / name / "project", self.folder / name / "build")
        program = elf.read(built)
        total = program.flash_bytes(base.flash_origin, base.flash_bytes)
        total += self.vectors if boot else 0
        return total - project.head.weights.nbytes - project.head.bias.nbytes, program

    def _flags(self, folder: Path) -> list[str]:
        text = (folder / "flags.make").read_text()
        (flags,) = re.findall(r"^CXX_FLAGS = (.*)$", text, re.MULTILINE)
        return shlex.split(flags)

    def learners(self, known: Mapping[str, int] | None = None) -> dict[str, int]:
        """By how much each class of learner, or of buffer, is larger than TyBox, or its buffer.

        What is ``known`` is not measured again.
        """
        reference, _ = self._learner(RUNTIME_CLASSES, "int8")
        found = dict.fromkeys(Tybox().code(), 0) | dict(known or {})
        for learner in every_learner():
            others = sum(found.get(part, 0) for part in learner.code())
            (new, *more) = [part for part in learner.code() if part not in found] or [""]
            assert not more, "one part at a time is new"
            if new:
                size, _ = self._learner(RUNTIME_CLASSES, "int8", learner)
                found[new] = size - reference - others
        return found

    def _learner(
        self, classes: int, dtype: DType, learner: Learner | None = None
    ) -> tuple[int, dict[str, int]]:
        """Bytes of sections with a head of ``classes``, and those that come from libraries."""
        project = self.folder / "learner"
        base = replace(BARE, core=self.core, emulator="")
        made = identity(base, classes, dtype, learner)
        with unmeasured():
            emit(made, project)
            arrays = context_of(made)["factory"].arrays
        build = self.folder / "user" / "build"
        objects = []
        for source, flags in (
            ("src/head.cpp", self.flags),
            ("src/model.cpp", self.flags),
            ("src/extractor.cpp", self.flags),
            ("platform/application.cpp", [*self.small, "-Os"]),
        ):
            target = project.parent / f"{Path(source).stem}.o"
            includes = [f"-I{project}", f"-I{project / 'include'}"]
            run(["arm-none-eabi-g++", *flags, *includes, "-c", project / source, "-o", target])
            objects.append(str(target))
        words = shlex.split(self.link)
        words = [word for word in words if not word.endswith("application.cpp.obj")]
        at = words.index("-o")
        mapped = project.parent / "learner.map"
        words[at : at + 2] = [*objects, f"-Wl,-Map={mapped}", "-o", "learner.elf"]
        toolchain.run(words, build, TIMEOUT_S)
        found = sections(mapped)
        # What the learner starts from is planned as the head.
        constants = ("InitialWeights", "InitialBias", *arrays)
        endings = tuple(f"k{name}E" for name in constants)
        code = {k: v for k, v in found.items() if not k.endswith(endings)}
        return sum(code.values()), {k: v for k, v in found.items() if k.endswith(".o)")}


def every_learner() -> Iterator[Learner]:
    """TyBox with every buffer first, then those of ``codegen/learners``: each without an alarm, in part replayed, and with one."""
    yield from (
        Tybox(buffer=name, buffer_bits=bits) for name in get_args(BufferName) for bits in (8, 4)
    )
    for module in pkgutil.iter_modules(learners.__path__, f"{learners.__name__}."):
        for kind in vars(importlib.import_module(module.name)).values():
            own = isinstance(kind, type) and kind.__module__ == module.name
            if own and hasattr(kind, "factory") and hasattr(kind, "NAME"):
                settings: list[dict[str, Any]] = [{}, {"alarm": ALARM}]
                if "replayed" in kind.__dataclass_fields__:
                    settings.insert(1, {"replayed": 5})
                for changed in settings:
                    yield replace(kind(), **{"alarm": None} | changed)


def identity(board: Board, classes: int, dtype: DType, learner: Learner | None = None) -> Project:
    """A project whose features are its image."""
    quantization = Quantization((0.05,), (-3,)) if dtype == "int8" else None
    shapes = (1, 1, FEATURES, 1), (1, FEATURES)
    tensors = tuple(Tensor(f"t{i}", shape, dtype, quantization) for i, shape in enumerate(shapes))
    graph = Graph(tensors, (Op("RESHAPE", (0,), (1,)),), (0,), (1,))
    weights = np.ones((classes, FEATURES), np.float32)
    head = HeadWeights(weights, np.ones(classes, np.float32))
    golden = Golden(np.zeros((1, 1, FEATURES, 1), dtype), np.zeros((1, FEATURES), dtype))
    learner = learner or Tybox()
    statistics = None
    if learner.needs_statistics:
        seen = np.random.default_rng(0).normal(size=(4 * FEATURES, FEATURES))
        statistics = statistics_of(seen, np.arange(len(seen)) % classes, range(classes))
    samples = min(10, learner.most_samples)
    return Project("identity", graph, head, learner, samples, board, golden, (), statistics)
