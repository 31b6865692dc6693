"""Extractors on emulated cores: many in one program, because what costs is compiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen import emit, toolchain
from tests.codegen.conformance import Codes, Conformance
from tests.codegen.extractors import LANGUAGE, WARNINGS, write_case

TIMEOUT_S = 300.0
HERE = Path(__file__).parent / "cpp"
PLATFORM = emit.ROOT / "templates" / "platform"
# As in the project's CMakeLists.txt.
FLAGS = ("-O2", "-ffp-contract=off", "-ffunction-sections", "-fdata-sections", "-mthumb")
LINK = ("-fno-threadsafe-statics", "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections")
LINKER_SCRIPT = """
MEMORY {{
  VECTORS (rx) : ORIGIN = {vectors:#x}, LENGTH = 4K
  FLASH (rx) : ORIGIN = {flash:#x}, LENGTH = {flash_kib}K
  RAM (rwx) : ORIGIN = {ram:#x}, LENGTH = 4M
}}
ENTRY(Reset_Handler)
SECTIONS {{
  .vectors : {{ KEEP(*(.vectors)) }} > VECTORS
  .text : {{
    *(.text*) *(.rodata*)
    . = ALIGN(4);
    __init_array_start = .; KEEP(*(SORT(.init_array.*))) KEEP(*(.init_array)) __init_array_end = .;
  }} > FLASH
  .ARM.exidx : {{ *(.ARM.exidx*) }} > FLASH
  .stack (NOLOAD) : {{
    __stack_bottom = .; . = . + 16K; . = ALIGN(8); __stack_top = .;
  }} > RAM
  .data : {{ __data_start = .; *(.data*) . = ALIGN(4); __data_end = .; }} > RAM AT> FLASH
  __data_load = LOADADDR(.data);
  .bss (NOLOAD) : {{
    __bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); __bss_end = .;
  }} > RAM
}}
"""


@dataclass(frozen=True)
class Core:
    """A core: compiler flags, the QEMU machine that has it, and where that machine has memory."""

    flags: tuple[str, ...]
    machine: str
    vectors: int = 0
    flash: int = 0x1000
    flash_kib: int = 4092
    ram: int = 0x20000000


CORES = {
    "m3": Core(("-mcpu=cortex-m3", "-mfloat-abi=soft"), "mps2-an385"),
    "m4": Core(("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"), "mps2-an386"),
    "m7": Core(("-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"), "mps2-an500"),
    "m33": Core(
        ("-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
        "mps2-an505",
        vectors=0x10000000,
        flash=0x10001000,
        ram=0x38000000,
    ),
    "m55": Core(
        ("-mcpu=cortex-m55", "-mfpu=auto", "-mfloat-abi=hard"),
        "mps3-an547",
        flash=0x01000000,
        flash_kib=2048,
        ram=0x21000000,
    ),
}


def run(cases: Sequence[Conformance], core: Core, folder: Path) -> list[Codes]:
    """Outputs (N, ...) of all ``cases`` on an emulated ``core``.

    Raises:
        ToolchainError: a tool is missing, the kernels do not compile, or the program stops early;
            says in which case.
    """
    _write_program(cases, core, folder)
    compiler = toolchain.find("arm-none-eabi-g++")
    sources = ["cases.cpp", str(PLATFORM / "startup.cpp"), str(PLATFORM / "io_semihosting.cpp")]
    includes = ["-I.", f"-I{emit.ROOT}", f"-I{emit.ROOT / 'templates'}", f"-I{HERE}"]
    command = [compiler, *LANGUAGE, *WARNINGS, *FLAGS, *core.flags, *LINK, *includes, *sources]
    toolchain.run([*command, "-Tcases.ld", "-o", "cases.elf"], folder, TIMEOUT_S)
    (folder / "cases.in").write_bytes(b"".join(case.inputs.tobytes() for case in cases))
    qemu = [toolchain.find("qemu-system-arm"), "-M", core.machine, "-nographic"]
    qemu += ["-monitor", "none", "-serial", "none", "-kernel", "cases.elf"]
    qemu += ["-semihosting-config", "enable=on,target=native"]
    failure = None
    try:
        toolchain.run(qemu, folder, TIMEOUT_S)
    except toolchain.ToolchainError as error:
        failure = error
    content = (folder / "cases.out").read_bytes()
    outputs = []
    for case in cases:
        size = case.expected.size
        if len(content) < size:
            raise toolchain.ToolchainError(f"stopped in {case.title}") from failure
        outputs.append(np.frombuffer(content[:size], np.int8).reshape(case.expected.shape))
        content = content[size:]
    return outputs


def _write_program(cases: Sequence[Conformance], core: Core, folder: Path) -> None:
    lines = ['#include "run_cases.hpp"']
    rows = []
    for number, case in enumerate(cases):
        lines += write_case(case.graph, folder, f"case{number}")
        one = case.inputs[0].size, case.expected[0].size
        rows.append(f"{{tinyml::case{number}::extract, {len(case.inputs)}, {one[0]}, {one[1]}}},")
    longest = [
        max(getattr(case, what)[0].size for case in cases) for what in ("inputs", "expected")
    ]
    lines += [f"alignas(16) static signed char input[{longest[0]}], output[{longest[1]}];"]
    lines += ["static const Case kCases[] = {", *rows, "};"]
    lines += ["int main() { return run_cases(kCases, input, output); }", ""]
    (folder / "cases.cpp").write_text("\n".join(lines))
    script = LINKER_SCRIPT.format(
        vectors=core.vectors, flash=core.flash, flash_kib=core.flash_kib, ram=core.ram
    )
    (folder / "cases.ld").write_text(script)
