"""A generated project as its user gets it: built, tested and read in its own folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from codegen.toolchain.run import run
from tests.codegen.conftest import BOARDS
from tests.support.mobile import mobile_project
from tests.support.needs import needs_arm_compiler, needs_cmake

CLANG_FORMAT = Path(sys.executable).parent / "clang-format"


@pytest.fixture(scope="module")
def mobile(tmp_path_factory, sample):
    folder = tmp_path_factory.mktemp("project") / "mobile"
    images = sample.split("test").pixels[:5]
    emit(mobile_project(BOARDS["cortex-m7"], images, Tybox(0.01), 6), folder)
    return folder


def build_and_test(folder: Path) -> subprocess.CompletedProcess[str]:
    commands = "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure"
    return subprocess.run(
        commands, shell=True, cwd=folder, capture_output=True, text=True, check=False
    )


@needs_cmake
def test_the_readmes_commands_work_in_the_folder_alone(mobile, tmp_path):
    folder = tmp_path / "elsewhere with a blank"
    shutil.copytree(mobile, folder)
    done = build_and_test(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100% tests passed" in done.stdout
    assert "warning" not in done.stdout + done.stderr


@needs_cmake
@pytest.mark.parametrize(
    "settings",
    [
        {"dtype": "float32", "learning_rate": 1e-4},
        {"loss": "squared_error", "buffer_samples": 1, "learning_rate": 1e-4},
        {"passes": 3, "classes": 2, "features": 1},
        {"classes": 256, "features": 3},
    ],
    ids=str,
)
def test_self_test_passes_for_every_learner(emit_identity, settings):
    _, folder = emit_identity(**settings)
    done = build_and_test(folder)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_cmake
def test_self_test_fails_when_the_head_does_not_learn(emit_identity):
    _, folder = emit_identity()
    head = folder / "runtime" / "learners" / "row.hpp"
    broken = head.read_text().replace("-= x *", "+= x *")
    assert broken != head.read_text()
    head.write_text(broken)
    done = build_and_test(folder)
    assert done.returncode != 0
    assert "FAILED: learning lowers the error" in done.stdout


@needs_cmake
def test_self_test_fails_when_the_buffer_forgets_its_order(emit_identity):
    _, folder = emit_identity()
    buffer = folder / "runtime" / "buffers" / "fifo.hpp"
    broken = buffer.read_text().replace("int row = oldest();", "int row = 0;", 1)
    assert broken != buffer.read_text()
    buffer.write_text(broken)
    done = build_and_test(folder)
    assert "FAILED: the buffer is first in, first out" in done.stdout


def test_cpp_is_formatted(mobile):
    """By the project's own .clang-format, generated files included."""
    sources = [
        str(p.relative_to(mobile)) for p in mobile.rglob("*") if p.suffix in (".cpp", ".hpp")
    ]
    assert len(sources) > 20
    done = subprocess.run(
        [CLANG_FORMAT, "--dry-run", "--Werror", *sources],
        cwd=mobile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_left_of_the_templates(mobile):
    for path in (p for p in mobile.rglob("*") if p.is_file()):
        text = path.read_text()
        assert "{{ " not in text, path
        assert "{%" not in text, path
        assert path.suffix != ".j2", path


def test_the_device_side_allocates_nothing_and_includes_no_vendor_header(mobile):
    for folder in ("include", "src", "runtime", "platform"):
        for path in (mobile / folder).rglob("*.?pp"):
            # But for an object in a place that the caller has: that allocates nothing.
            text = re.sub(r"//.*|\bnew \(\w+\) \w+;", "", path.read_text())
            for word in ("malloc", "new ", "throw", "typeid", "dynamic_cast", "std::vector"):
                assert word not in text, f"{path}: {word}"
            for header in ("arm_math.h", "cmsis", "stm32", "iostream"):
                assert f"#include <{header}" not in text.lower(), path


@needs_arm_compiler
@needs_cmake
def test_the_firmware_is_built_with_the_users_own_port_and_main(emit_identity, tmp_path):
    """In ``user/``, as the README says; and a project that is generated again keeps them."""
    project, folder = emit_identity(core="cortex-m33")  # a board without a driver
    user = folder / "user"
    user.mkdir()
    main = (folder / "platform" / "main.cpp").read_text()
    (user / "main.cpp").write_text(main.replace("paint_stack();", "paint_stack();\n  own_clock();"))
    (user / "clock.cpp").write_text(
        "void own_clock() { int unused_and_warned_of; }\n"
        'extern "C" void SysTick_Handler() { own_clock(); }\n'
    )
    (user / "firmware.cmake").write_text("target_compile_options(firmware PRIVATE -Wall -Wextra)\n")
    (user / "port.cpp").write_text(
        '#include "runtime/serial/port.hpp"\n'
        'extern "C" void tinyml_uart_write(std::uint8_t byte) {\n'
        "  *reinterpret_cast<volatile std::uint8_t*>(0x40070000) = byte;\n}\n"
    )
    (user / "main.cpp").write_text("void own_clock();\n" + (user / "main.cpp").read_text())
    emit(project, folder)
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={folder / 'cmake' / 'arm-none-eabi.cmake'}"
    own_flags = "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"
    run(["cmake", "-S", str(folder), "-B", str(tmp_path), toolchain, own_flags], tmp_path, 120)
    assert (
        "-O1 -DNDEBUG"
        in (tmp_path / "CMakeFiles" / "tinyml_identity.dir" / "flags.make").read_text()
    )
    run(["cmake", "--build", str(tmp_path), "--target", "firmware"], tmp_path, 300)
    symbols = run(["arm-none-eabi-nm", str(tmp_path / "firmware.elf")], tmp_path, 60)
    assert " T _Z9own_clockv" in symbols
    assert " T SysTick_Handler" in symbols
    assert " T tinyml_uart_write" in symbols  # not W, the weak one of runtime/serial/user.cpp
    assert " W tinyml_uart_read" in symbols
