"""clang-tidy over the runtime and a generated project, for a computer and for a Cortex-M4."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from tests.codegen.conftest import BOARDS
from tests.support.mobile import mobile_project
from tests.support.needs import needs_arm_compiler

ROOT = Path(__file__).parents[3]
CLANG_TIDY = Path(sys.executable).parent / "clang-tidy"
LANGUAGE = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-Iinclude", "-I."]
# As GCC compiles it: clang itself would get no kernels with assembly.
ARM = ["--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4", "-DTINYML_ISA_DSP=1"]
# Semihosting is a board's; MVE's kernels need the M55's compiler, as those of the M0+ need its.
ARM_ONLY = ("semihosting", "/mve/", "/dsp/", "/armv6m/")


@pytest.fixture(scope="module")
def tree(tmp_path_factory, sample):
    folder = tmp_path_factory.mktemp("tidy") / "project"
    images = sample.split("test").pixels[:1]
    emit(mobile_project(BOARDS["cortex-m33"], images, Tybox(0.01), 6), folder)
    headers = sorted(p.relative_to(folder).as_posix() for p in (folder / "runtime").rglob("*.hpp"))
    for name, left_out in (("host", ARM_ONLY), ("arm", ("/mve/", "/armv6m/"))):
        lines = [f'#include "{h}"\n' for h in headers if not any(word in h for word in left_out)]
        assert len(lines) > 20
        (folder / f"all_{name}.cpp").write_text("".join(lines))
    return folder


def tidy(tree: Path, sources: list[str], flags: list[str]) -> str:
    """What clang-tidy finds, one line each; its configuration is the project's own."""
    done = subprocess.run(
        [CLANG_TIDY, "--quiet", *sources, "--", *LANGUAGE, *flags],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    found = sorted(set(re.findall(r"^.*(?:error|warning): .*$", done.stdout, re.MULTILINE)))
    assert done.returncode == 0 or found, done.stderr
    return "\n".join(found)


def headers() -> list[str]:
    """Where GCC's C++ library for Arm has its headers, but for those that are the compiler's own."""
    probe = ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-xc++", "-E", "-v", "/dev/null"]
    printed = subprocess.run(probe, capture_output=True, text=True, check=True).stderr
    folders = printed.split("search starts here:")[-1].split("End of search list")[0].split()
    own = [folder for folder in folders if "/lib/gcc/" not in str(Path(folder).resolve())]
    return [f"-isystem{folder}" for folder in own]


def names(tree: Path, *patterns: str) -> list[str]:
    return sorted(str(p.relative_to(tree)) for pattern in patterns for p in tree.glob(pattern))


@needs_arm_compiler
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_clang_gets_kernels_without_assembly(tree, core):
    """It has no registers left for them; here only its front end is installed."""
    (tree / "clang.cpp").write_text(
        '#include "runtime/kernels/conv_2d.hpp"\n'
        'static_assert(TINYML_ISA_DSP == 0 && TINYML_ISA_MVE == 0, "plain C++");\n'
    )
    arm = [f"--target=thumbv{'8.1m.main' if core.endswith('55') else '7em'}-none-eabihf"]
    flags = [*arm, f"-mcpu={core}", "-O2", *headers()]
    assert "error" not in tidy(tree, ["clang.cpp"], flags)
    assert "static assertion failed" in tidy(tree, ["clang.cpp"], ["-DTINYML_ISA_DSP=1", *flags])


def test_the_project_has_the_configuration_of_its_generator(tree):
    for name in (".clang-tidy", ".clang-format"):
        assert (tree / name).read_bytes() == (ROOT / name).read_bytes()


def test_clean_on_a_computer(tree):
    sources = names(tree, "src/*.cpp", "host/*.cpp", "test/*.cpp", "runtime/link/*.cpp")
    sources.remove("src/weights.cpp")  # numbers, in seconds
    assert tidy(tree, [*sources, "platform/application.cpp", "all_host.cpp"], []) == ""


@needs_arm_compiler
def test_clean_on_a_cortex_m4(tree):
    """clang with the headers of GCC's C++ library."""
    sources = names(tree, "src/extractor.cpp", "platform/*.cpp")
    assert tidy(tree, [*sources, "all_arm.cpp"], [*ARM, *headers()]) == ""


def test_it_finds_what_it_should(tree):
    (tree / "broken.cpp").write_text(
        "int last(const int* values, int count) {\n"
        "  int sum;\n"
        "  for (int i = 0; i < count; ++i) sum += values[i];\n"
        "  return sum;\n"
        "}\n"
    )
    assert "clang-analyzer-core" in tidy(tree, ["broken.cpp"], [])
