"""Two generated projects in one program, which has names, headers and targets of its own."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import literals
from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.emit.module import module_of
from codegen.learners.rls import Rls
from codegen.learners.statistics import statistics_of
from codegen.toolchain.host import HostModel
from codegen.toolchain.run import ToolchainError, run
from tests.codegen.conftest import identity_project
from tests.support.mobile import mobile_project
from tests.support.needs import needs_board_tools, needs_cmake

SAMPLES = 12
# The first is also a function's name, the second has no letter of ASCII.
NAMES = ("resize", "花 2")
BOARD = load("nucleo_f446re")
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(app LANGUAGES CXX)
add_subdirectory(one)
add_subdirectory(two)
if(CMAKE_CROSSCOMPILING)
  set(BOARD ${CMAKE_CURRENT_SOURCE_DIR}/one/platform)
  set(SOURCES ${BOARD}/startup.cpp ${BOARD}/fault.cpp ${BOARD}/stack.cpp ${BOARD}/io_semihosting.cpp)
else()
  set(SOURCES one/test/io_host.cpp)
endif()
add_executable(self_test main.cpp ${SOURCES})
target_include_directories(self_test PRIVATE . one)
target_link_libraries(self_test PRIVATE tinyml::resize_model tinyml::u82b1_2)
if(CMAKE_CROSSCOMPILING)
  target_link_options(self_test PRIVATE -nostartfiles --specs=nano.specs -T${BOARD}/emulator.ld
                      -L${BOARD})
endif()
"""
MAIN = """\
#include "src/config.hpp"  // the program's own
#include "test/io.hpp"
#include "tinyml/resize_model/model.hpp"
#include "tinyml/u82b1_2/model.hpp"

static tinyml::resize_model::Model one;
static tinyml::u82b1_2::Model two;

template <typename Config, typename Model>
bool step(Model& model, int in, int out, std::uint8_t label) {
  static typename Config::Feature features[Config::kFeatures];
  if (!io::read(in, Model::image(), Config::kImageElements * sizeof(typename Model::Pixel))) return false;
  Model::extract(Model::image(), features);
  model.learn(features, label);
  return io::write(out, features, sizeof(features));
}

int main() {
  const int in = io::open_to_read("both.in");
  const int out = io::open_to_write("both.out");
  for (int i = 0; i < kSamples; ++i) {
    if (!step<tinyml::resize_model::Config>(one, in, out, static_cast<std::uint8_t>(i % 3))) return 1;
    if (!step<tinyml::u82b1_2::Config>(two, in, out, static_cast<std::uint8_t>(i % 5))) return 1;
  }
  io::write(out, one.state(), one.kStateBytes);
  io::write(out, two.state(), two.kStateBytes);
  io::close(out);
  return 0;
}
"""


@dataclass(frozen=True)
class Both:
    """A program's folder, what it reads, and what it has to write: what each model does alone."""

    folder: Path
    given: bytes
    expected: bytes


@pytest.fixture(scope="module")
def both(tmp_path_factory, sample) -> Both:
    """A MobileNet that learns by SGD, and an identity that learns by recursive least squares."""
    rng = np.random.default_rng(23)
    folder = tmp_path_factory.mktemp("in my app") / "my app"
    (folder / "src").mkdir(parents=True)
    seen = rng.normal(0, 2, (60, 12))
    statistics = statistics_of(seen, np.arange(60) % 5, range(5))
    projects = [
        mobile_project(BOARD, sample.split("test").pixels[:SAMPLES], identity_project().learner, 5),
        identity_project(learner=Rls(), statistics=statistics, buffer_samples=0),
    ]
    inputs = [projects[0].golden.inputs, rng.integers(-90, 90, (SAMPLES, 1, 12, 1)).astype(np.int8)]
    outputs, states = [], []
    for name, place, project, images, classes in zip(
        NAMES, ("one", "two"), projects, inputs, (3, 5), strict=True
    ):
        emit(replace(project, name=name), folder / place)
        host = HostModel(folder / place)
        outputs.append(host.features(images))
        for i, row in enumerate(outputs[-1]):
            host.learn(row, i % classes)
        states.append(host.state().tobytes())
    (folder / "CMakeLists.txt").write_text(CMAKE)
    (folder / "main.cpp").write_text(MAIN)
    (folder / "src" / "config.hpp").write_text(f"constexpr int kSamples = {SAMPLES};\n")
    given = b"".join(a.tobytes() + b.tobytes() for a, b in zip(*inputs, strict=True))
    features = b"".join(a.tobytes() + b.tobytes() for a, b in zip(*outputs, strict=True))
    return Both(folder, given, features + b"".join(states))


def built(both: Both, build: Path, *options: str) -> Path:
    """The program, with the user's flags; whose generated parts may not warn."""
    build.mkdir()
    flags = "-O1 -fno-exceptions -fno-rtti -Wall -Wextra -Wshadow -Werror"
    command = ["cmake", "-S", str(both.folder), "-B", str(build), f"-DCMAKE_CXX_FLAGS={flags}"]
    run([*command, *options], both.folder, 60)
    run(["cmake", "--build", str(build)], both.folder, 300)
    (build / "both.in").write_bytes(both.given)
    return build / "self_test"


@needs_cmake
def test_two_models_learn_side_by_side_as_each_does_alone(both, tmp_path):
    program = built(both, tmp_path / "build")
    subprocess.run([program], cwd=program.parent, check=True)
    assert (program.parent / "both.out").read_bytes() == both.expected
    names = [
        set(
            re.findall(
                r" [A-VX-Z] (.*)",
                run(["nm", "-gC", "--defined-only", str(path)], tmp_path, 60),
            )
        )
        for path in program.parent.rglob("libtinyml_*.a")
    ]
    assert len(names) == 2
    assert all(names)
    assert not names[0] & names[1]


@needs_board_tools
def test_two_models_learn_side_by_side_on_an_emulated_board(both, tmp_path):
    cross = both.folder / "two" / "cmake" / "arm-none-eabi.cmake"
    program = built(both, tmp_path / "board", f"-DCMAKE_TOOLCHAIN_FILE={cross}")
    qemu = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial"]
    qemu += ["none", "-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    run(qemu, program.parent, 60)
    assert (program.parent / "both.out").read_bytes() == both.expected


@needs_cmake
def test_two_projects_of_one_name_are_refused(both, tmp_path):
    for place in ("one", "two"):
        emit(replace(identity_project(), name="the same"), tmp_path / place)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    with pytest.raises(ToolchainError, match=r"(?s)Two projects have the name the_same: .*--name"):
        run(["cmake", "-S", ".", "-B", "build"], tmp_path, 60)


def test_the_common_header_is_refused_where_it_could_be_of_either(both, tmp_path):
    program = tmp_path / "main.cpp"
    program.write_text('#include "tinyml/model.hpp"\nstatic tinyml::Model model;\n')
    paths = [f"-I{both.folder / place / 'include'}" for place in ("one", "two")]
    for path in paths:
        run(["g++", "-fsyntax-only", path, str(program)], tmp_path, 60)
    with pytest.raises(ToolchainError, match=r"include tinyml/NAME/model\.hpp of each"):
        run(["g++", "-fsyntax-only", *paths, str(program)], tmp_path, 60)


# Of Arduino.h, CMSIS, the HALs of ST and Nordic, Zephyr, Windows and X11, and of everybody's debug.h.
FUNCTIONS = "min max abs round constrain radians degrees sq bit swap MIN MAX BIT F ARRAY_SIZE"
VALUES = """
    DEBUG NDEBUG ERROR OK TRUE FALSE IN OUT OPTIONAL PI HIGH LOW INPUT OUTPUT DEFAULT B0 B1 B10 DEC HEX FLASH RNG
    DWT RTC ADC DMA USART1 I2C SPI Success Status Bool True False Always interface small near far
    MODEL CONFIG KNOB
"""


@pytest.mark.parametrize("standard", ["c++17", "c++20", "c++23", "gnu++17"])
def test_headers_stand_what_programs_define_and_every_standard(both, tmp_path, standard):
    lines = ["#include <cmath>", "#include <cstring>", "#include <limits>", "#include <utility>"]
    lines += [f"#define {name}(...) (no, such, function)" for name in FUNCTIONS.split()]
    lines += [f"#define {name} ) no such value (" for name in VALUES.split()]
    lines += ['#include "tinyml/resize_model/model.hpp"', '#include "tinyml/u82b1_2/model.hpp"']
    lines += ["tinyml::resize_model::Model one;", "tinyml::u82b1_2::Model two;"]
    (tmp_path / "main.cpp").write_text("\n".join(lines) + "\n")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wold-style-cast"]
    paths = [f"-I{both.folder / place / 'include'}" for place in ("one", "two")]
    command = ["g++", f"-std={standard}", "-fsyntax-only", "-fno-exceptions", "-fno-rtti"]
    run([*command, "-Werror", *warnings, *paths, "main.cpp"], tmp_path, 60)


@pytest.mark.parametrize("standard", ["c++20", "c++23"])
def test_sources_are_later_c_plus_plus_too(both, standard):
    tree = both.folder / "one"
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    command = [f"-std={standard}", "-fsyntax-only", "-fno-exceptions", "-fno-rtti", *warnings]
    command += ["-Iinclude", "-I."]
    sources = [str(path.relative_to(tree)) for path in tree.glob("[st][re]*/*.cpp")]
    sources.remove("src/weights.cpp")
    run(["g++", *command, *sources, "host/capi.cpp"], tree, 120)


@needs_board_tools
def test_start_up_code_is_c_plus_plus_20_too(both):
    tree = both.folder / "one"
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    command = ["-std=c++20", "-fsyntax-only", "-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"]
    sources = [str(path.relative_to(tree)) for path in tree.glob("platform/*.cpp")]
    run(["arm-none-eabi-g++", *command, *warnings, "-Iinclude", "-I.", *sources], tree, 120)


@given(st.text(max_size=80))
def test_every_name_gives_a_namespace(text: str) -> None:
    name = literals.module(text)
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
    assert len(name) <= literals.LONGEST_IDENTIFIER + len("model_")


@given(st.text(st.characters(categories=["Lo"], min_codepoint=0x3040), min_size=1, max_size=30))
def test_names_without_a_letter_of_ascii_are_told_apart(text: str) -> None:
    assert literals.module(text) != literals.module(text + "字")
    assert literals.identifier(text) != "_"


def test_words_that_are_no_names_compile_as_a_projects(tmp_path) -> None:
    words = (
        "class",
        "int",
        "linux",
        "unix",
        "errno",
        "std",
        "tinyml",
        "2",
        "__",
        "not",
        "co_await",
    )
    names = {literals.module(word) for word in words}
    assert len(names) == len(words)
    code = "#include <cerrno>\n" + "".join(
        f"namespace tinyml {{ inline namespace {name} {{ }} }}\n" for name in names
    )
    (tmp_path / "names.cpp").write_text(code)
    run(["g++", "-std=gnu++20", "-fsyntax-only", "names.cpp"], tmp_path, 60)


@pytest.mark.parametrize(
    ("name", "module"),
    [("Größe 日本", "grosse_u65e5_u672c"), ("softmax", "softmax_model"), ("dsp", "dsp_model")],
)
def test_what_a_project_is_called(name: str, module: str) -> None:
    assert module_of(name) == module
