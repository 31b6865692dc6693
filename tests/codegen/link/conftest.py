"""The firmware on this computer, behind the same bytes as on a board."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "support" / "cpp" / "device"
FLAGS = "-std=c++17 -g -O1 -Wall -Wextra -Wconversion -Werror -fno-exceptions -fno-rtti"
SOURCES = (
    "src/extractor.cpp",
    "src/weights.cpp",
    "src/head.cpp",
    "src/model.cpp",
    "platform/application.cpp",
    "runtime/link/frame_writer.cpp",
)


def build_device(tree: Path, output: Path, *extra: str) -> Path:
    """Compile the application of an emitted project for this computer."""
    support = output.parent / f"{output.name}.support"
    for path in CPP.rglob("*.?pp"):
        copy = support / path.relative_to(CPP)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(in_module(tree, path.read_text()))
    # Its platform/flash.hpp comes before the project's own.
    command = ["g++", *FLAGS.split(), "-ffp-contract=off", *extra, f"-I{support}"]
    command += ["-Iinclude", "-I.", *SOURCES, str(support / "device.cpp"), "-o", str(output)]
    subprocess.run(command, check=True, cwd=tree)
    return output


def in_module(tree: Path, text: str) -> str:
    """C++ in ``namespace tinyml`` as it has to be for the project in ``tree``, which has its own."""
    (module,) = (path.name for path in (tree / "include" / "tinyml").iterdir() if path.is_dir())
    text = text.replace("namespace tinyml {", f"namespace tinyml {{ inline namespace {module} {{")
    return text.replace("}  // namespace tinyml", "} }")


class Device:
    """The application; a ``Port`` for ``codegen.link.client.Board``."""

    def __init__(self, library: Path):
        self.library = ctypes.CDLL(str(library))
        self.received = b""
        self.writes = 0
        self.library.device_erase_flash()
        self.library.device_start()

    def feed(self, data: bytes) -> bytes:
        out = ctypes.create_string_buffer(1 << 20)
        count = self.library.device_feed(data, len(data), out, len(out))
        return ctypes.string_at(out, count)

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.received += self.feed(data)

    def read(self, timeout_s: float) -> bytes:
        received, self.received = self.received, b""
        return received

    def restart(self) -> None:
        self.library.device_start()
        self.received = b""


@pytest.fixture(scope="session")
def device_project(emit_identity):
    return emit_identity(class_names=("cat", 'a "dog"', "bird", "é", "fish"))


@pytest.fixture(scope="session")
def device_library(device_project, tmp_path_factory):
    output = tmp_path_factory.mktemp("device") / "device.so"
    undefined = ("-fsanitize=undefined", "-fno-sanitize-recover", "-static-libubsan")
    return build_device(device_project[1], output, "-shared", "-fPIC", *undefined)


@pytest.fixture(scope="session")
def device_program(device_project, tmp_path_factory):
    output = tmp_path_factory.mktemp("device") / "device"
    return build_device(
        device_project[1], output, "-fsanitize=address,undefined", "-fno-sanitize-recover"
    )


@pytest.fixture
def device(device_library):
    return Device(device_library)
