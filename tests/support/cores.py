"""Extractors on emulated cores and on this computer, many in one program: compiling costs most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.boards.machines import MACHINES
from codegen.emit import emitter as emit
from codegen.toolchain import run as toolchain
from tests.support.conformance import Codes, Conformance
from tests.support.extractors import LANGUAGE, WARNINGS, write_case

TIMEOUT_S = 300.0
HERE = Path(__file__).parent / "cpp"
TEMPLATES = emit.ROOT / "templates"
PLATFORM = TEMPLATES / "platform"
PARTS = ("weights", "extractor")
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
    "m0plus": Core(("-mcpu=cortex-m0plus", "-mfloat-abi=soft"), "microbit"),
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


@dataclass(frozen=True)
class Host:
    """This computer, with what finds undefined behaviour and accesses outside of arrays."""

    flags: tuple[str, ...] = (
        "-O1",
        "-g1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    )


def write(cases: Sequence[Conformance], tree: Path) -> list[str]:
    """Write the generated sources of ``cases`` into ``tree``, those that are not there yet.

    What a program with these cases includes.
    """
    lines = []
    for case in cases:
        folder = tree / case.identifier
        if not folder.exists():
            write_case(case.graph, tree, case.identifier, case.layout)
        lines += [f'#include "{case.identifier}/src/{part}.cpp"' for part in PARTS]
    return lines


def run(cases: Sequence[Conformance], core: Core | Host, tree: Path, folder: Path) -> list[Codes]:
    """Outputs (N, ...) of all ``cases`` on an emulated ``core`` or the host.

    ``tree`` keeps generated sources, which all cores share; the program is built in ``folder``.

    Raises:
        ToolchainError: a tool is missing, the kernels do not compile, or the program stops early;
            says in which case.
    """
    (folder / "cases.cpp").write_text(_program(cases, write(cases, tree)))
    (folder / "cases.in").write_bytes(b"".join(case.inputs.tobytes() for case in cases))
    build = _build_host if isinstance(core, Host) else _build_core
    command = build(core, tree, folder)
    failure = None
    try:
        toolchain.run(command, folder, TIMEOUT_S)
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
    if failure:
        raise failure
    return outputs


def _program(cases: Sequence[Conformance], includes: Sequence[str]) -> str:
    rows = [
        f"{{tinyml::{case.identifier}::extract, {len(case.inputs)}, {case.inputs[0].size}, "
        f"{case.expected[0].size}}},"
        for case in cases
    ]
    longest_input = max(case.inputs[0].size for case in cases)
    longest_output = max(case.expected[0].size for case in cases)
    lines = [
        '#include "run_cases.hpp"',
        *includes,
        f"alignas(16) static signed char input[{longest_input}], output[{longest_output}];",
        "static const Case kCases[] = {",
        *rows,
        "};",
        "int main() { return run_cases(kCases, input, output); }",
    ]
    return "\n".join(lines) + "\n"


def _build_core(core: Core, tree: Path, folder: Path) -> list[str]:
    """Link the program; the command that runs it."""
    script = LINKER_SCRIPT.format(
        vectors=core.vectors, flash=core.flash, flash_kib=core.flash_kib, ram=core.ram
    )
    (folder / "cases.ld").write_text(script)
    sources = [str(PLATFORM / f"{name}.cpp") for name in ("startup", "fault", "io_semihosting")]
    _compile(
        "arm-none-eabi-g++", [*FLAGS, *core.flags, *LINK, "-Tcases.ld", *sources], tree, folder
    )
    options = MACHINES[core.machine].options if core.machine in MACHINES else ()
    qemu = [toolchain.find("qemu-system-arm"), "-M", core.machine, *options, "-nographic"]
    qemu += ["-monitor", "none", "-serial", "none", "-kernel", "cases"]
    return [*qemu, "-semihosting-config", "enable=on,target=native"]


def _build_host(host: Host, tree: Path, folder: Path) -> list[str]:
    """Link the program; the command that runs it."""
    _compile("g++", [*host.flags, str(TEMPLATES / "test" / "io_host.cpp")], tree, folder)
    return [str(folder / "cases")]


def _compile(compiler: str, arguments: Sequence[str], tree: Path, folder: Path) -> None:
    includes = [f"-I{path}" for path in (tree, emit.ROOT, TEMPLATES, HERE)]
    command = [toolchain.find(compiler), *LANGUAGE, *WARNINGS, *includes, "cases.cpp", *arguments]
    toolchain.run([*command, "-o", "cases"], folder, TIMEOUT_S)
