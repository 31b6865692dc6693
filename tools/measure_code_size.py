"""Measure how many bytes of flash the firmware's code takes, and write ``codegen/memory/code_size.json``.

    python tools/measure_code_size.py                            # all cores, about five minutes
    python tools/measure_code_size.py --core cortex-m4           # one; the others stay as they are
    python tools/measure_code_size.py --new                      # only kernels that it has not yet

Run it after a change of kernels, learner, application, drivers or compiler, and commit the file.
``codegen/memory/code_size.py`` tells how its figures add up. Kernels are those that the models of
``tools/graphs/cases.py`` call: an operator that has a case there is measured. All are compiled
together, as in a firmware that has many, with the flags that the generated project's own
CMakeLists.txt gives; then the linker says which sections each of them needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from codegen import (  # noqa: E402
    durable,
    learners,
    literals,
    ops,
)
from codegen.boards.board import CORES, Board, load  # noqa: E402
from codegen.emit.emitter import context_of, emit  # noqa: E402
from codegen.ir import DType, Graph, ModelError, Op, Quantization, Tensor  # noqa: E402
from codegen.learners.base import Learner  # noqa: E402
from codegen.learners.statistics import statistics_of  # noqa: E402
from codegen.learners.tybox import BufferName, Tybox  # noqa: E402
from codegen.memory.code_size import FILE, RUNTIME_CLASSES, kernel_key  # noqa: E402
from codegen.ops import inverted_residual  # noqa: E402
from codegen.passes.legalize import legalize  # noqa: E402
from codegen.passes.simplify import simplify  # noqa: E402
from codegen.plan import arrange  # noqa: E402
from codegen.project import Golden, HeadWeights, Project  # noqa: E402
from codegen.toolchain import elf  # noqa: E402
from codegen.toolchain import run as toolchain  # noqa: E402
from codegen.toolchain.target import build_firmware  # noqa: E402
from tools.graphs.cases import CASES  # noqa: E402
from tools.graphs.networks import random_network  # noqa: E402

MODELS = 60  # random ones of each case: enough for every kernel of every operator
FEATURES = 46
# Up to 20 classes the learner's loops are unrolled; then by fours.
CLASSES = (*range(2, 25), 100, 101, 102, 103)
TIMEOUT_S = 600.0
FEW_CALLS, MANY_CALLS = 4, 20


@dataclass(frozen=True)
class Kernel:
    """A function of ``runtime/kernels/`` for some dtypes: pointers are C++ types, output last."""

    function: str
    header: str
    params: str
    pointers: tuple[str, ...]


def kernels() -> tuple[dict[str, Kernel], dict[str, dict[str, str]]]:
    """Every kernel by its key; and for each dtype and kind of operator the key of the usual one.

    The usual kernel is the fast one where there are two.
    """
    found: dict[str, Kernel] = {}
    usual: dict[str, dict[str, str]] = {"float32": {}, "int8": {}}
    for graph in _graphs():
        for op in graph.ops:
            dtype = graph.tensors[op.inputs[0]].dtype
            operator = ops.OPERATORS[op.kind]
            call = operator.lower(graph, op)
            if call is None:
                usual[dtype][op.kind] = ""
                continue
            key = kernel_key(call.kernel, dtype)
            output = graph.tensors[call.output]
            pointers = [f"const {literals.ctype(graph.tensors[i].dtype)}*" for i in call.inputs]
            pointers += [f"{literals.ctype(output.dtype)}*"]
            pointers += pointers[-1:] if operator.scratch_bytes(graph, op) else []
            kernel = Kernel(call.kernel, call.header, call.params, tuple(pointers))
            two = found.setdefault(key, kernel)
            if len(pointers) == 3 and len(two.pointers) != 3:  # CONCATENATION: of two
                found[key] = kernel
            usual[dtype][op.kind] = min(usual[dtype].get(op.kind, key), key, key=len)
    # No case has weights out of bounds for the fast convolution, and no float network is fused.
    found["conv_2d_any int8"] = replace(found["conv_2d int8"], function="conv_2d_any")
    block = found["inverted_residual int8"]
    floats = tuple(pointer.replace("std::int8_t", "float") for pointer in block.pointers)
    reals = replace(block, params="InvertedResidualFloat", pointers=floats)
    usual["float32"][inverted_residual.KIND] = "inverted_residual float32"
    found["inverted_residual float32"] = reals
    for kind in ops.OPERATORS:  # what the simplifier makes a table of
        if kind not in usual["int8"]:
            usual["int8"][kind] = usual["int8"]["LOOKUP"]
    return found, usual


def _graphs() -> Iterator[Graph]:
    """Simplified graphs that together have every operator and every kernel."""
    for dtype in ("int8", "float32"):
        for case in CASES.values():
            for seed in range(MODELS):
                try:
                    yield simplify(legalize(case(np.random.default_rng(seed), dtype)))
                except (ModelError, KeyError):  # a case for the other dtype
                    break
    for seed in range(MODELS):
        yield arrange(simplify(random_network(seed)))[0]


def measure(
    core: str, found: Mapping[str, Kernel], folder: Path, classes: Sequence[int] = CLASSES
) -> dict[str, Any]:
    """All figures of one core."""
    with mock.patch("codegen.memory.map.code_bytes", return_value=0):  # is not known yet
        firmware = Firmware(core, folder / "firmware")
        figures = firmware.figures(classes)
    return figures | {
        "call": call_bytes(firmware.flags, folder),
        "kernels": measure_kernels(found, firmware.flags, folder),
    }


def measure_new(
    core: str, found: Mapping[str, Kernel], folder: Path, known: Mapping[str, Any]
) -> dict[str, Any]:
    """``known``, with the kernels that it lacks, and without those that are no longer there."""
    missing = [key for key in found if key not in known["kernels"]]
    with mock.patch("codegen.memory.map.code_bytes", return_value=0):
        flags = Firmware(core, folder / "firmware").flags if missing else []
    added = measure_kernels(found, flags, folder, missing) if missing else {}
    kept = {key: figures for key, figures in known["kernels"].items() if key in found}
    return {**known, "kernels": kept | added}


class Firmware:
    """The program without kernels, built by cmake, then linked anew with other learners."""

    def __init__(self, core: str, folder: Path) -> None:
        self.core, self.folder = core, folder
        self.total, program = self._build("user", load("arduino_nano33ble"))
        self.vectors = sum(s.size_bytes for s in program.sections if s.name == ".vectors")
        self.link = (folder / "user/build/CMakeFiles/firmware.dir/link.txt").read_text()
        self.flags = self._flags(folder / "user" / "build" / "CMakeFiles" / "tinyml_model.dir")
        self.small = self._flags(folder / "user" / "build" / "CMakeFiles" / "firmware.dir")

    def figures(self, classes: Sequence[int]) -> dict[str, Any]:
        """Bytes of the runtime, of its parts that boards add, and by how much classes change it."""
        drivers = {
            "cmsdk_uart.cpp": load("corstone300"),
            "stm32_usart.cpp": load("nucleo_l4r5zi"),
        }
        extra = {name: self._build(name, board)[0] - self.total for name, board in drivers.items()}
        saving = self._build("flash", load("nucleo_f446re"), boot=True)[0]
        extra["stm32f4_flash.hpp"] = saving - self.total - extra["stm32_usart.cpp"]
        reference, libraries = self._learner(RUNTIME_CLASSES, "int8")
        learner = {
            dtype: {str(n): self._learner(n, dtype)[0] - reference for n in classes}
            for dtype in ("float32", "int8")
        }
        return {
            "learners": self.learners(),
            "runtime": self.total,
            "vectors": self.vectors,
            "drivers": extra,
            "learner": learner,
            "libraries": libraries,
        }

    def _build(self, name: str, board: Board, *, boot: bool = False) -> tuple[int, elf.Program]:
        """Bytes of flash beside the head, the vectors included, and the program."""
        base = replace(board, core=self.core, emulator="", boot_block="")
        project = identity(base, RUNTIME_CLASSES, "int8")
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

    def learners(self) -> dict[str, int]:
        """By how much each class of learner, or of buffer, is larger than TyBox, or its buffer."""
        reference, _ = self._learner(RUNTIME_CLASSES, "int8")
        found = dict.fromkeys(Tybox().code(), 0)
        for learner in every_learner():
            known = sum(found.get(part, 0) for part in learner.code())
            (new, *others) = [part for part in learner.code() if part not in found] or [""]
            assert not others, "one part at a time is new"
            if new:
                size, _ = self._learner(RUNTIME_CLASSES, "int8", learner)
                found[new] = size - reference - known
        return found

    def _learner(
        self, classes: int, dtype: DType, learner: Learner | None = None
    ) -> tuple[int, dict[str, int]]:
        """Bytes of sections with a head of ``classes``, and those that come from libraries."""
        project = self.folder / "learner"
        base = replace(load("arduino_nano33ble"), core=self.core, emulator="")
        made = identity(base, classes, dtype, learner)
        emit(made, project)
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
        constants = ("InitialWeights", "InitialBias", *context_of(made)["factory"].arrays)
        endings = tuple(f"k{name}E" for name in constants)
        code = {k: v for k, v in found.items() if not k.endswith(endings)}
        return sum(code.values()), {k: v for k, v in found.items() if k.endswith(".o)")}


def every_learner() -> Iterator[Learner]:
    """Each with its first values: TyBox with every buffer first, then those of ``codegen/learners``."""
    yield from (
        Tybox(buffer=name, buffer_bits=bits) for name in get_args(BufferName) for bits in (8, 4)
    )
    for module in pkgutil.iter_modules(learners.__path__, f"{learners.__name__}."):
        for kind in vars(importlib.import_module(module.name)).values():
            own = isinstance(kind, type) and kind.__module__ == module.name
            if own and hasattr(kind, "factory") and hasattr(kind, "NAME"):
                yield kind()


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


def measure_kernels(
    found: Mapping[str, Kernel],
    flags: Sequence[str],
    folder: Path,
    keys: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Of each kernel, or those of ``keys``: its pointers, bytes of parameters and of sections."""
    entries = dict(enumerate(found.items()))
    headers = sorted({kernel.header for kernel in found.values()})
    lines = [f'#include "runtime/kernels/{header}"' for header in headers]
    lines += ["using namespace tinyml;"]
    for number, (_, kernel) in entries.items():
        arguments = ", ".join(f"{p} p{i}" for i, p in enumerate(kernel.pointers))
        passed = ", ".join(f"p{i}" for i in range(len(kernel.pointers)))
        lines += [
            f'extern "C" const char size_{number}[sizeof({kernel.params})] = {{1}};',
            f'extern "C" void entry_{number}(const {kernel.params}& op, {arguments}) {{',
            f"  {kernel.function}(op, {passed});",
            "}",
        ]
    (folder / "kernels.cpp").write_text("\n".join(lines))
    target = folder / "kernels.o"
    include = f"-I{ROOT / 'codegen'}"
    run(["arm-none-eabi-g++", *flags, include, "-c", folder / "kernels.cpp", "-o", target])
    sizes = symbols(target)
    measured = {}
    for number, (key, kernel) in entries.items():
        if keys is not None and key not in keys:
            continue
        mapped = folder / "kernel.map"
        options = ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections"]
        options += [f"-Wl,-e,entry_{number}", f"-Wl,-Map={mapped}"]
        run(["arm-none-eabi-g++", *flags, *options, target, "-o", folder / "kernel.elf"])
        needed = {k: v for k, v in sections(mapped).items() if not k.startswith("entry_")}
        measured[key] = {
            "params": sizes[f"size_{number}"],
            "pointers": len(kernel.pointers),
            "sections": needed,
        }
    return measured


def call_bytes(flags: Sequence[str], folder: Path) -> dict[str, int]:
    """Instructions and addresses of a call in ``extract``, by its number of pointers."""
    lines = ["struct P { int v; };", "static signed char arena[1 << 16];"]
    lines += [
        "void two(const P&, const signed char*, signed char*);",
        "void three(const P&, const signed char*, const signed char*, signed char*);",
    ]
    for name, extra in (("two", ""), ("three", ", arena + {c}")):
        for count in (FEW_CALLS, MANY_CALLS):
            params = [f"constexpr P {name}{count}_{i}{{{i}}};" for i in range(count)]
            calls = [
                f"{name}({name}{count}_{i}, arena + {i * 1234 % 5000}"
                + extra.format(c=i * 777 % 9000)
                + f", arena + {i * 3456 % 7000});"
                for i in range(count)
            ]
            lines += [*params, f'extern "C" void {name}_{count}() {{', *calls, "}"]
    (folder / "calls.cpp").write_text("\n".join(lines))
    target = folder / "calls.o"
    run(["arm-none-eabi-g++", *flags, "-c", folder / "calls.cpp", "-o", target])
    size = symbols(target)
    return {
        pointers: (size[f"{name}_{MANY_CALLS}"] - size[f"{name}_{FEW_CALLS}"])
        // (MANY_CALLS - FEW_CALLS)
        for pointers, name in (("2", "two"), ("3", "three"))
    }


def run(command: Sequence[str | Path]) -> str:
    """Run a program of the compiler's; what it printed."""
    program = toolchain.find(str(command[0]))
    return toolchain.run([program, *map(str, command[1:])], ROOT, TIMEOUT_S)


def symbols(target: Path) -> dict[str, int]:
    """Bytes of each symbol of an object."""
    rows = (line.split() for line in run(["arm-none-eabi-nm", "-S", target]).splitlines())
    return {row[3]: int(row[1], 16) for row in rows if len(row) == 4}


def sections(mapped: Path) -> dict[str, int]:
    """Bytes in flash of each input section of a linked program, from the linker's map.

    Sections of ours are named after their function or array, those of libraries after the object.
    """
    text = mapped.read_text().partition("Linker script and memory map")[2]
    pattern = r"^ \.(text|rodata|data)(\S*)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S.*)$"
    found: dict[str, int] = {}
    for kind, name, size, source in re.findall(pattern, text, re.MULTILINE):
        member = re.search(r"\((\S+\.o)\)$", source)
        library = member and ".cpp" not in member[1]
        key = f"({member[1]})" if library and member else name.lstrip(".") or f"({kind})"
        if int(size, 16):
            found[key] = found.get(key, 0) + int(size, 16)
    return found


def measure_learners(cores: Sequence[str], output: Path) -> None:
    """Measure the learners alone; all else stays as it is."""
    content = json.loads(output.read_text())
    for core in cores:
        with (
            tempfile.TemporaryDirectory() as name,
            mock.patch("codegen.memory.map.code_bytes", return_value=0),
        ):
            content["cores"][core]["learners"] = Firmware(core, Path(name)).learners()
        print(f"{core}: {content['cores'][core]['learners']}", flush=True)
        durable.write(output, json.dumps(content, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Measure the cores that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core", action="append", choices=CORES, help="repeatable; default: all")
    parser.add_argument("--new", action="store_true", help="measure what the file has not yet")
    parser.add_argument("--output", type=Path, default=FILE)
    parser.add_argument("--learners", action="store_true", help="these alone: half a minute a core")
    arguments = parser.parse_args()
    if arguments.learners:
        measure_learners(arguments.core or CORES, arguments.output)
        return
    found, usual = kernels()
    known = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    cores = known.get("cores", {})
    for core in arguments.core or CORES:
        with tempfile.TemporaryDirectory() as name:
            if arguments.new:
                cores[core] = measure_new(core, found, Path(name), cores[core])
            else:
                cores[core] = measure(core, found, Path(name))
        print(f"{core}: runtime {cores[core]['runtime']} bytes, {len(found)} kernels", flush=True)
        compiler = run(["arm-none-eabi-g++", "--version"]).splitlines()[0]
        content = {"compiler": compiler, "cores": cores, "operators": usual}
        lines = json.dumps(content, indent=1, sort_keys=True)
        durable.write(arguments.output, lines + "\n")


if __name__ == "__main__":
    main()
