"""The project as a library of Arduino and of PlatformIO: layout, and what they would compile."""

from __future__ import annotations

import json
import os
import random
import re
import select
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from codegen.link.client import Board
from codegen.toolchain.host import HostModel
from tests.support.mobile import CLASSES, mobile_project
from tests.support.needs import needs_arm_compiler

IMAGES = 12
CORE = Path(__file__).parents[2] / "support" / "cpp" / "arduino"
# Of Arduino's core for the Nano 33 BLE. That of the language is the oldest that a core asks for.
NANO33BLE = [
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfpu=fpv4-sp-d16",
    "-mfloat-abi=softfp",
    "-Os",
    "-std=gnu++14",
]
INCLUDE = re.compile(r'^#include "(.*)"$', re.MULTILINE)
FLAGS = ["-fno-rtti", "-fno-exceptions", "-ffunction-sections", "-fdata-sections"]


@pytest.fixture(scope="module")
def project(sample):
    images = sample.split("test").pixels[:IMAGES]
    return mobile_project(load("arduino_nano33ble"), images, Tybox(0.002), 5)


@pytest.fixture(scope="module")
def tree(project, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("arduino") / "project"
    emit(project, folder)
    return folder


@pytest.fixture(scope="module")
def library(tree) -> Path:
    return tree / "arduino" / "TinyML_mobile"


def compile_sketch(library: Path, compiler: list[str], program: Path) -> str:
    """As Arduino does: every source under ``src/``, with ``src/`` as the only folder of headers."""
    sketch = program.with_suffix(".cpp")
    ino = library / "examples" / "SerialClassifier" / "SerialClassifier.ino"
    sketch.write_text(f"#define IS_A_SKETCH\n#include <Arduino.h>\n{ino.read_text()}")
    sources = sorted(str(path) for path in (library / "src").rglob("*.cpp"))
    assert len(sources) == 7
    include = ["-I", str(library / "src"), "-I", str(CORE)]
    done = subprocess.run(
        [*compiler, *FLAGS, *include, *sources, str(sketch), "-o", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_librarys_description(library):
    text = (library / "library.properties").read_text()
    properties = dict(line.split("=", 1) for line in text.splitlines())
    assert re.fullmatch(r"[A-Za-z0-9][\w .-]{0,62}", properties["name"])
    assert properties["name"] == library.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert (library / "src" / properties["includes"]).is_file()
    wanted = {"author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert wanted <= properties.keys()


# The cores of library.properties: their processors, and the oldest language that one of them asks for.
PROCESSORS = {
    "mbed": ("gnu++14", ["cortex-m0plus", "cortex-m4", "cortex-m7"]),
    "rp2040": ("gnu++17", ["cortex-m0plus", "cortex-m33"]),
    "stm32": ("gnu++17", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"]),
    "renesas": ("gnu++17", ["cortex-m4", "cortex-m33"]),
}


@needs_arm_compiler
def test_the_architectures_that_are_named_compile_the_library(library, tmp_path):
    named = re.search(
        "^architectures=(.*)$", (library / "library.properties").read_text(), re.MULTILINE
    )[1]
    assert {name.partition("_")[0] for name in named.split(",")} == set(PROCESSORS)
    source = tmp_path / "sketch.cpp"
    source.write_text(f"#include <{library.name}.h>\nstatic tinyml::Model model;\n")
    sources = [str(library / "src" / "src" / f"{part}.cpp") for part in ("extractor", "model")]
    for standard, core in sorted({(s, core) for s, cores in PROCESSORS.values() for core in cores}):
        # -Os is Arduino's; an unoptimised front end alone would not meet the inline assembly.
        command = ["arm-none-eabi-g++", f"-mcpu={core}", "-mthumb", f"-std={standard}", "-Os", "-w"]
        command += [*FLAGS, "-I", str(library / "src"), "-c", str(source), *sources]
        subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("flag", "said"),
    [("-std=gnu++11", "this needs C++14 or later"), ("-D__AVR__", "AVR has no C++ library")],
)
def test_compilers_that_cannot_are_refused_in_one_line(library, tmp_path, flag, said):
    source = tmp_path / "sketch.cpp"
    source.write_text(f"#include <{library.name}.h>\n")
    command = ["g++", flag, "-fsyntax-only", "-I", str(library / "src"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in re.search("error: .*", done.stderr)[0]


def test_the_librarys_sources_are_the_projects(tree, library):
    folders = {
        "tinyml": "include/tinyml",
        "src": "src",
        "runtime": "runtime",
        "platform": "platform",
    }
    copies = [path for path in (library / "src").rglob("*.?pp") if path.name != "arduino.cpp"]
    assert len(copies) > 40
    for copy in copies:
        place, *rest = copy.relative_to(library / "src").parts
        original = tree.joinpath(folders[place], *rest)
        assert INCLUDE.sub("", copy.read_text()) == INCLUDE.sub("", original.read_text())
        # Of programs, the project's are included from its root.
        folder = tree if place == "platform" else original.parent
        included = [
            [(beside / name).resolve() for name in INCLUDE.findall(path.read_text())]
            for path, beside in ((copy, copy.parent), (original, folder))
        ]
        assert all(path.is_file() for path in included[0])
        assert {path.name for path in included[0]} == {path.name for path in included[1]}


@needs_arm_compiler
def test_arduinos_core_for_the_nano_builds_the_sketch(library, tmp_path):
    compiler = ["arm-none-eabi-g++", *NANO33BLE, "--specs=nano.specs", "--specs=nosys.specs"]
    printed = compile_sketch(library, [*compiler, "-Wl,--gc-sections"], tmp_path / "sketch.elf")
    warnings = {line for line in printed.splitlines() if "warning:" in line and "/src/" in line}
    assert all("if constexpr" in line for line in warnings), warnings


class Sketch:
    """The sketch as a process, at the end of a line that loses and damages bytes both ways."""

    def __init__(self, program, rate):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.rate, self.random, self.damages = rate, random.Random(5), 0

    def spoil(self, data):
        out = bytearray()
        for byte in data:
            dice = self.random.random()
            self.damages += dice < self.rate
            if dice < self.rate / 2:
                continue
            out.append(byte ^ self.random.randrange(1, 256) if dice < self.rate else byte)
        return bytes(out)

    def write(self, data):
        self.process.stdin.write(self.spoil(data))

    def read(self, timeout_s):
        ready = select.select([self.process.stdout], [], [], timeout_s)[0]
        return self.spoil(os.read(self.process.stdout.fileno(), 4096)) if ready else b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def with_ram_flash(library: Path, copy: Path) -> Path:
    """A copy of the library whose flash is RAM: a computer has none at a board's addresses."""
    shutil.copytree(library, copy)
    ram = (CORE.parent / "device" / "platform" / "flash.hpp").read_text()
    for old, new in (
        ('"runtime/', '"../runtime/'),
        ('"src/', '"../src/'),
        ("namespace tinyml {", "namespace tinyml { inline namespace mobile {"),
        ("}  // namespace tinyml", "} }"),
    ):
        ram = ram.replace(old, new)
    (copy / "src" / "platform" / "flash.hpp").write_text(ram)
    return copy


def test_the_sketch_learns_the_projects_bits_through_loss_and_damage(
    project, tree, library, tmp_path
):
    """Of every image the label that was sent, once; counts, drift, timing and saving come along."""
    copy = with_ram_flash(library, tmp_path / "library")
    compile_sketch(copy, ["g++", "-std=gnu++17", "-O1", "-ffp-contract=off"], tmp_path / "sketch")
    host, codes = HostModel(tree), project.golden.inputs
    labels = np.random.default_rng().integers(0, CLASSES, 3 * IMAGES)
    with Sketch(tmp_path / "sketch", rate=0.3 / codes[0].size) as sketch:  # in every third image
        board = Board(sketch, timeout_s=0.5)
        for number, label in enumerate(labels):
            image = codes[number % IMAGES]
            row = host.features(image[np.newaxis])[0]
            predicted = int(host.predict(row[np.newaxis])[0])
            assert board.classify(image).prediction == predicted
            assert board.learn(image, int(label)).prediction == predicted
            host.learn(row, int(label))
        for mine, its in zip(board.head(), host.head(), strict=True):
            np.testing.assert_array_equal(mine, its)
        stats = board.stats()
        assert (stats.samples, stats.seen) == (
            len(labels),
            np.bincount(labels, minlength=CLASSES).tolist(),
        )
        assert board.timing().source == "microseconds"
        assert board.save() == 1
        board.reset()
        assert board.load() == 1
        np.testing.assert_array_equal(board.state(), host.state())
        assert sketch.damages > 5


def test_platformio_takes_the_arduino_library(tree, library):
    described = json.loads((tree / "library.json").read_text())
    assert described["name"] == "TinyML_mobile"
    assert described["build"]["srcDir"] == library.relative_to(tree).as_posix() + "/src"
    assert (tree / described["build"]["includeDir"] / described["headers"]).is_file()
    for example in described["examples"]:
        assert all((tree / example["base"] / name).is_file() for name in example["files"])
    listed = re.search(r"SOURCES ([^)]*)\)", (tree / "CMakeLists.txt").read_text())[1]
    assert {f"src/{p.name}" for p in (library / "src" / "src").glob("*.cpp")} == set(listed.split())
    for name in described["export"]["include"]:
        assert (tree / name).exists()
