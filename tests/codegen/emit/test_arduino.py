"""The project as a library of Arduino and of PlatformIO: layout, and what they would compile."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
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
    sketch.write_text(f"#include <Arduino.h>\n{ino.read_text()}")
    sources = sorted(str(path) for path in (library / "src").rglob("*.cpp"))
    assert len(sources) == 4
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


def test_the_librarys_sources_are_the_projects(tree, library):
    folders = {"tinyml": "include/tinyml", "src": "src", "runtime": "runtime"}
    copies = list((library / "src").rglob("*.?pp"))
    assert len(copies) > 20
    for copy in copies:
        place, *rest = copy.relative_to(library / "src").parts
        original = tree.joinpath(folders[place], *rest)
        assert INCLUDE.sub("", copy.read_text()) == INCLUDE.sub("", original.read_text())
        included = [
            [(path.parent / name).resolve() for name in INCLUDE.findall(path.read_text())]
            for path in (copy, original)
        ]
        assert all(path.is_file() for path in (*included[0], *included[1]))
        assert [path.name for path in included[0]] == [path.name for path in included[1]]


@needs_arm_compiler
def test_arduinos_core_for_the_nano_builds_the_sketch(library, tmp_path):
    compiler = ["arm-none-eabi-g++", *NANO33BLE, "--specs=nano.specs", "--specs=nosys.specs"]
    printed = compile_sketch(library, [*compiler, "-Wl,--gc-sections"], tmp_path / "sketch.elf")
    warnings = {line for line in printed.splitlines() if "warning:" in line and "/src/" in line}
    assert all("if constexpr" in line for line in warnings), warnings


def test_the_sketch_classifies_and_learns_like_the_project(project, tree, library, tmp_path):
    compile_sketch(
        library, ["g++", "-std=gnu++14", "-O1", "-ffp-contract=off"], tmp_path / "sketch"
    )
    labels = np.arange(IMAGES) % CLASSES
    labels[::3] = 255
    pixels = project.golden.inputs.view(np.uint8) ^ 128
    stream = b"".join(
        bytes([label]) + image.tobytes() for label, image in zip(labels, pixels, strict=True)
    )
    printed = subprocess.run(
        [tmp_path / "sketch"], input=stream, capture_output=True, check=True
    ).stdout.decode()
    host, expected = HostModel(tree), []
    for row, label in zip(project.golden.features, labels, strict=True):
        expected.append(int(host.predict(row[np.newaxis])[0]))
        if label != 255:
            host.learn(row, int(label))
    assert [int(line) for line in printed.split()] == expected
    assert len(set(expected)) > 1


def test_platformio_compiles_what_cmake_compiles(tree):
    described = json.loads((tree / "library.json").read_text())
    assert described["name"] == "TinyML_mobile"
    assert (tree / described["build"]["includeDir"] / described["headers"]).is_file()
    assert described["build"]["srcFilter"] == ["-<*>", "+<src/>"]
    listed = re.search(r"SOURCES ([^)]*)\)", (tree / "CMakeLists.txt").read_text())[1]
    assert sorted(listed.split()) == sorted(f"src/{p.name}" for p in tree.glob("src/*.cpp"))
    assert not list(tree.glob("src/*/*"))
    for name in described["export"]["include"]:
        assert (tree / name).exists()
