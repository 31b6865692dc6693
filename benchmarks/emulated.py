"""A generated project on an emulated core: its size, and the instructions that each layer takes."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import counting
from benchmarks.boards import board_of
from benchmarks.counting import symbols
from codegen.emit.emitter import context_of, emit
from codegen.ir import Graph
from codegen.learners.base import Learner
from codegen.learners.tybox import Tybox
from codegen.ops.multiply_adds import multiply_adds
from codegen.project import Golden, HeadWeights, Project
from codegen.toolchain import elf
from codegen.toolchain import run as toolchain
from codegen.toolchain.target import NO_LABEL

BUILD_TIMEOUT_S = 600.0
FRAME = 4000  # the part of `extract` that is no layer: its entry, and copies of image and features
Codes = npt.NDArray[np.int8 | np.float32]
CLASSES = 10
"""Of the head behind every network that is measured."""


@dataclass(frozen=True)
class Layer:
    """One kernel call: its title in ``extractor.cpp``, multiply-adds, executed instructions."""

    title: str
    macs: int
    instructions: int


@dataclass(frozen=True)
class Measurement:
    """One network on one core. Instructions are of one image, bytes of the linked firmware.

    ``instructions`` are those of the extractor, from the image to its features;
    ``classify_instructions`` hold the head and the test program's reading and writing as well.
    ``weights_bytes`` are the extractor's constant arrays, ``code_bytes`` all other flash but the
    head's initial values.
    """

    core: str
    macs: int
    layers: tuple[Layer, ...]
    functions: tuple[tuple[str, int], ...]
    instructions: int
    classify_instructions: int
    arena_bytes: int
    arena_bound_bytes: int
    weights_bytes: int
    head_bytes: int
    code_bytes: int
    flash_bytes: int
    planned_flash_bytes: int
    ram_bytes: int
    planned_ram_bytes: int


def project_of(
    graph: Graph,
    core: str,
    classes: int,
    buffer_samples: int,
    learner: Learner | None = None,
    seed: int = 0,
    ram_first: float = 0.0,
) -> Project:
    """A project around an extractor with a random head; ``ram_first`` is a ``Board``'s."""
    rng = np.random.default_rng(seed)
    board = replace(board_of(core), ram_first=ram_first)
    features = graph.output.elements
    head = HeadWeights(
        rng.normal(0, 0.1, (classes, features)).astype(np.float32), np.zeros(classes, np.float32)
    )
    golden = Golden(
        np.zeros((0, *graph.input.shape[1:]), graph.input.dtype),
        np.zeros((0, features), graph.output.dtype),
    )
    return Project("benchmark", graph, head, learner or Tybox(1e-3), buffer_samples, board, golden)


def measure(
    graph: Graph,
    core: str,
    image: Codes,
    tools: Path,
    listing: Path | None = None,
    ram_first: float = 0.0,
) -> Measurement:
    """Build a project around ``graph`` for ``core`` and classify ``image`` (H, W, C), codes or numbers.

    ``tools`` is where the counter is kept; ``listing`` gets the disassembly with counts.
    """
    project = project_of(graph, core, CLASSES, buffer_samples=1, ram_first=ram_first)
    context = context_of(project)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = build(project, folder, "stream", emulated=True)
        marks = _marks(program, folder / "project" / "src" / "extractor.cpp")
        once = stream(program, project, folder, tools, np.stack([image]), None, marks)
        twice = stream(program, project, folder, tools, np.stack([image] * 2), None, marks)
        firmware = build(project, folder, "firmware", emulated=False)
        functions = symbols.by_function(program, once.addresses)
        if listing:
            listing.write_text(symbols.listing(program, once.addresses))
        sizes = _constant_bytes(firmware)
        linked = elf.read(firmware)
    board, memory, layout = project.board, context["memory"], context["plan"]
    layers = tuple(
        Layer(
            call.title,
            multiply_adds(context["graph"], context["graph"].ops[number]),
            once.parts[number],
        )
        for call, number in ((call, int(call.params_name[3:])) for call in context["calls"])
    )
    flash = linked.flash_bytes(board.flash_origin, board.flash_bytes)
    extraction = sum(executed for part, executed in once.parts.items() if part >= 0)
    return Measurement(
        core=core,
        macs=sum(layer.macs for layer in layers),
        layers=layers,
        functions=tuple(functions.most_common()),
        instructions=extraction,
        classify_instructions=twice.total - once.total,
        arena_bytes=layout.arena_bytes,
        arena_bound_bytes=layout.lower_bound_bytes,
        weights_bytes=sizes["weights"],
        head_bytes=sizes["head"],
        code_bytes=flash - sum(sizes.values()),
        flash_bytes=flash,
        planned_flash_bytes=memory.flash_bytes,
        ram_bytes=linked.ram_bytes(board.ram_origin, board.ram_bytes),
        planned_ram_bytes=memory.ram_bytes,
    )


def build(project: Project, folder: Path, target: str, *, emulated: bool) -> Path:
    """Emit ``project`` to ``folder/project`` and build one program of it."""
    tree, build_folder = folder / "project", "emulated" if emulated else "board"
    if not tree.exists():
        emit(project, tree)
    cross = f"-DCMAKE_TOOLCHAIN_FILE={tree / 'cmake' / 'arm-none-eabi.cmake'}"
    # -g adds the lines that code comes from and changes no instruction.
    configure = ["-S", str(tree), "-B", build_folder, cross, "-DCMAKE_CXX_FLAGS=-g"]
    configure += ["-DEMULATED=ON"] if emulated else []
    cmake = toolchain.find("cmake")
    toolchain.run([cmake, *configure], folder, BUILD_TIMEOUT_S)
    toolchain.run([cmake, "--build", build_folder, "--target", target], folder, BUILD_TIMEOUT_S)
    return folder / build_folder / f"{target}.elf"


def stream(
    program: Path,
    project: Project,
    folder: Path,
    tools: Path,
    images: Codes,
    labels: Sequence[int] | None,
    marks: dict[int, int],
) -> counting.Counts:
    """What ``stream.elf`` executes for ``images`` (N, H, W, C); with ``labels`` it learns them."""
    count = len(images)
    given = [NO_LABEL] * count if labels is None else labels
    codes = np.array(given, np.uint8)[:, np.newaxis]
    records = np.concatenate([images.reshape(count, -1).view(np.uint8), codes], axis=1)
    (folder / "stream.in").write_bytes(np.array([count], "<i4").tobytes() + records.tobytes())
    return counting.count(program, project.board.emulator, folder, tools, marks)


def _marks(program: Path, source: Path) -> dict[int, int]:
    """Parts of the run by address: layers within ``extract``, and the test program around it."""
    parts, part, inside = {}, FRAME, False
    for number, line in enumerate(source.read_text().splitlines(), start=1):
        inside = (inside or line.startswith("void extract(")) and line != "}"
        if called := re.search(r"\bkOp(\d+)", line):
            part = int(called[1])
        elif "memcpy" in line:
            part = FRAME
        if inside:
            parts[number] = part
    extract = symbols.function(program, "tinyml::extract")
    lines = symbols.lines_within(program, extract)
    marks = {address: parts.get(line, FRAME) for address, line in lines.items()}
    marks |= {extract.address & ~1: FRAME}
    for section in elf.read(program).sections:
        if section.name == ".test_text":
            addresses = range(section.address, section.address + section.size_bytes, 2)
            marks |= dict.fromkeys(addresses, counting.OUTSIDE)
    return marks


def _constant_bytes(firmware: Path) -> Counter[str]:
    """Flash of the extractor's constant arrays and of the head's initial values."""
    sizes: Counter[str] = Counter()
    for symbol in symbols.symbols(firmware):
        if re.fullmatch(r"tinyml::op\d+_\w+", symbol.name):
            sizes["weights"] += symbol.size_bytes
        if symbol.name in ("tinyml::kInitialWeights", "tinyml::kInitialBias"):
            sizes["head"] += symbol.size_bytes
    return sizes
