"""The boards of ``codegen/boards``: real ones, and what each can be built and emulated with."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from dataclasses import asdict, fields, replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.boards import board as boards
from codegen.boards.board import Board
from codegen.boards.drivers import SerialPort, StorageDriver
from codegen.boards.machines import MACHINES, machine_for
from codegen.emit.emitter import emit
from codegen.toolchain import elf
from tests.support.needs import needs_arm_compiler

KIB = 1024


def test_the_boards_are_there():
    assert boards.names() == (
        "arduino_nano33ble",
        "corstone300",
        "nucleo_1mb",
        "nucleo_f446re",
        "nucleo_f767zi",
        "nucleo_g0b1re",
        "nucleo_h743zi",
        "nucleo_l4r5zi",
        "pico",
        "pico2",
    )


@pytest.mark.parametrize("name", boards.names())
def test_board(name):
    board = boards.load(name)
    assert board.name == name
    assert board.source
    assert 0 < board.reset_clock_hz <= board.clock_hz
    machine = machine_for(board.emulator, board.core)
    assert machine.ram.cut(board.ram_bytes) == board.ram_bytes
    # Only the Pico 2 has more flash than its machine.
    assert machine.flash.cut(board.flash_bytes) == min(board.flash_bytes, 3584 * KIB)
    assert board.storage_bytes <= machine.storage.size_bytes
    # A slot holds a head of 10 classes and 200 features with room for its frame.
    assert board.storage_bytes // 2 > 4 * 10 * 201 + 64
    assert board.storage_origin % board.erase_bytes == 0


@pytest.mark.parametrize(
    ("name", "flash_bytes", "ram"),
    [
        # The data sheets' sizes: boot, program, storage and what a boot loader keeps.
        ("arduino_nano33ble", (1024 - 64) * KIB, (0x20000000, 256 * KIB)),
        ("nucleo_1mb", 2048 * KIB, (0x24000000, 1024 * KIB)),
        ("nucleo_f446re", 512 * KIB, (0x20000000, 128 * KIB)),
        ("nucleo_f767zi", 2048 * KIB, (0x20000000, 512 * KIB)),
        ("nucleo_g0b1re", 512 * KIB, (0x20000000, 144 * KIB)),
        ("nucleo_h743zi", 2048 * KIB, (0x24000000, 512 * KIB)),
        ("nucleo_l4r5zi", 2048 * KIB, (0x20000000, 640 * KIB)),
        ("pico", 2048 * KIB, (0x20000000, 264 * KIB)),
        ("pico2", 4096 * KIB, (0x20000000, 520 * KIB)),
    ],
)
def test_the_regions_are_all_of_the_chips(name, flash_bytes, ram):
    board = boards.load(name)
    parts = board.boot_bytes, board.flash_bytes, board.storage_bytes, board.second_stage.size_bytes
    assert sum(parts) == flash_bytes
    assert (board.ram_origin, board.ram_bytes) == ram


def test_machines_keep_their_regions_apart():
    for machine in MACHINES.values():
        regions = [
            (region.origin, region.origin + region.size_bytes)
            for region in (
                machine.flash,
                machine.ram,
                machine.storage,
                machine.test_flash,
                machine.test_ram,
            )
            if region.size_bytes
        ]
        regions.sort()
        for (_, end), (start, _) in pairwise(regions):
            assert end <= start, machine.name


def as_toml(values: dict[str, object]) -> str:
    """A board's fields as its file has them."""
    plain = [(key, value) for key, value in values.items() if not isinstance(value, dict)]
    tables = [(key, value) for key, value in values.items() if isinstance(value, dict)]
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain]
    return "".join(lines) + "".join(f"[{key}]\n{as_toml(table)}" for key, table in tables)


@pytest.mark.parametrize("name", boards.names())
def test_a_board_of_ones_own_can_have_all_that_ours_have(tmp_path, name):
    path = tmp_path / "mine.toml"
    board = replace(boards.load(name), name="mine", ram_bytes=1000, stack_bytes=504)
    path.write_text(as_toml(asdict(board)))
    assert boards.load(path) == board
    assert boards.load(str(path)) == board


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ram = 5", r"mine\.toml: ram: there is no such key; Board has name, core, clock_hz"),
        ("ram_bytes = '5'", r"mine\.toml: ram_bytes: must be of type int; got '5'"),
        ("ram_bytes = true", r"mine\.toml: ram_bytes: must be of type int; got True"),
        ("ram_bytes = -1", r"mine\.toml: device\.ram_bytes: must be from 1 to 4294967295; got -1"),
        ("ram_bytes == 3", r"mine\.toml: not a TOML file"),
        ("", r"mine\.toml: must have name, core, .*; lacks ram_bytes$"),
        ("ram_bytes = 9000\nserial = 5", r"mine\.toml: serial: must be a table; got 5"),
        (
            "ram_bytes = 9000\nserial.wire = 5",
            r"mine\.toml: serial\.wire: there is no such key; SerialPort has driver, address",
        ),
        (
            "ram_bytes = 9000\nserial.pins = [1, 'x']",
            r"mine\.toml: serial\.pins\[1\]: must be of type int; got 'x'",
        ),
        (
            "ram_bytes = 9000\nserial.driver = '../../etc/passwd'",
            r"mine\.toml: device\.serial\.driver: must be one of user, cmsdk_uart, nrf_uart, stm32_usart",
        ),
    ],
)
def test_what_does_not_describe_a_board_is_refused(tmp_path, change, message):
    path = tmp_path / "mine.toml"
    text = (boards.FOLDER / "pico2.toml").read_text()
    path.write_text(text.replace("ram_bytes = 532_480", change))
    with pytest.raises(ValueError, match=message) as caught:
        boards.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nucleo_h7", "missing.toml", ""])
def test_an_unknown_board_is_refused(name):
    with pytest.raises(ValueError, match=r"device: (must be one of .*pico2|there is no file)"):
        boards.load(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"core": "cortex-m23"}, r"device\.core: must be one of .*; got 'cortex-m23'"),
        (
            {"boot_block": "esp32"},
            r"device\.boot_block: must be '', 'rp2040' or 'rp2350'; got 'esp32'",
        ),
        ({"storage_bytes": 12288}, r"device\.storage_bytes: must be two slots"),
        ({"erase_bytes": 0}, r"device\.storage_bytes: must be two slots"),
        (
            {"storage_origin": 0x103F0000},
            r"device\.flash_bytes: must end where device\.storage_origin begins \(0x103f0000\)",
        ),
        ({"stack_bytes": 532480}, r"device\.stack_bytes: must be less than device\.ram_bytes"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(boards.load("pico2"), **change)


@pytest.mark.parametrize("name", boards.names())
@pytest.mark.parametrize("machine", [*MACHINES, "netduino2", "mps2-an386 -monitor stdio"])
def test_a_machine_must_stand_in_for_the_core(name, machine):
    board = boards.load(name)
    if machine in MACHINES and board.core in MACHINES[machine].cores:
        assert replace(board, emulator=machine).emulator == machine
    else:
        with pytest.raises(
            ValueError, match=rf"device\.emulator: no such machine for a {board.core}"
        ):
            replace(board, emulator=machine)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"driver": "user"}, r"device\.serial\.address: user has no use for it; got 1073760256"),
        (
            {"driver": "cmsdk_uart"},
            r"device\.serial\.registers: cmsdk_uart has no use for it; got 2",
        ),
        ({"address": 0}, r"device\.serial\.address: stm32_usart needs it; got 0"),
        ({"enables": ()}, r"device\.serial\.enables: stm32_usart needs it"),
        ({"enables": ((0, 32),)}, r"device\.serial\.enables: must be at most 4 pairs"),
        ({"enables": ((2**32, 0),)}, r"device\.serial\.enables: must be at most 4 pairs"),
        ({"enables": ((1, 2, 3),)}, r"device\.serial\.enables: must be at most 4 pairs"),
        ({"pins": (8, 16)}, r"device\.serial\.pins: must be two, from 0 to 15; got \[8, 16\]"),
        ({"pins": (8,)}, r"device\.serial\.pins: must be two"),
        ({"registers": 3}, r"device\.serial\.registers: must be 1 or 2; got 3"),
        ({"gpio": -1}, r"device\.serial\.gpio: must be from 0 to 0xffffffff; got -1"),
        ({"alternate": 16}, r"device\.serial\.alternate: must be from 0 to 0xf; got 16"),
    ],
    ids=str,
)
def test_a_port_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(boards.load("nucleo_h743zi").serial, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pins": (6, 48)}, r"device\.serial\.pins: must be two, from 0 to 47; got \[6, 48\]"),
        ({"pins": ()}, r"device\.serial\.pins: nrf_uart needs it"),
        ({"gpio": 4}, r"device\.serial\.gpio: nrf_uart has no use for it; got 4"),
    ],
    ids=str,
)
def test_a_port_of_an_nrf_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(MACHINES["microbit"].serial, **change)


def test_which_boards_have_a_serial_port_of_their_own():
    found = {name: boards.load(name).serial.driver for name in boards.names()}
    assert {name for name, driver in found.items() if driver == "user"} == {"pico", "pico2"}
    assert SerialPort().definitions == ()


def test_a_board_without_storage_has_no_driver_of_it():
    board = replace(boards.load("nucleo_f446re"), storage_bytes=0, erase_bytes=0)
    assert (board.flash_header, board.flash_type) == ("flash.hpp", "NoFlash")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"driver": "flash"},
            r"device\.storage\.driver: must be one of none, nrf_flash, rp2040_flash",
        ),
        ({"first_sector": -1}, r"device\.storage\.first_sector: must be from 0 to 31; got -1"),
        ({"first_sector": 32}, r"device\.storage\.first_sector: must be from 0 to 31; got 32"),
        ({"bank": 1}, r"device\.storage\.bank: must be 0 for stm32f4_flash; got 1"),
        ({"driver": "stm32l4_flash"}, r"device\.storage\.bank: must be from 1 to 2; got 0"),
        ({"driver": "nrf_flash"}, r"device\.storage\.first_sector: must be 0 for nrf_flash; got 1"),
    ],
    ids=str,
)
def test_a_storage_driver_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(StorageDriver("stm32f4_flash", 1), **change)


def test_a_file_is_told_all_that_it_lacks(tmp_path):
    path = tmp_path / "mine.toml"
    needed = "name, core, clock_hz, flash_origin, flash_bytes, ram_origin, ram_bytes"
    path.write_text("")
    with pytest.raises(ValueError, match=rf"mine\.toml: must have {needed} .*; lacks {needed}$"):
        boards.load(path)
    path.write_text("name = 'mine'\nram_bytes = 65_536\n")
    with pytest.raises(
        ValueError, match=r"; lacks core, clock_hz, flash_origin, flash_bytes, ram_"
    ):
        boards.load(path)


@pytest.mark.parametrize("key", ["name", "core", "emulator", "source", "boot_block"])
def test_a_command_in_a_file_is_refused_by_file_and_key(tmp_path, key):
    path = tmp_path / "mine.toml"
    lines = (boards.FOLDER / "pico2.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"{key} =")]
    # Before all else: what stands below a table's name is in the table.
    path.write_text("\n".join([f'{key} = "x)\\nexecute_process(COMMAND touch it)\\n#"', *kept, ""]))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: device\.{key}: "):
        boards.load(path)


NUMBERS = tuple(field.name for field in fields(Board) if field.type == "int")


@pytest.mark.parametrize("key", NUMBERS)
@given(value=st.integers(max_value=-1) | st.integers(min_value=2**32))
def test_a_number_of_no_board_is_refused_by_its_key(key, value):
    with pytest.raises(ValueError, match=rf"^device\.{key}: must be from [01] to 4294967295; got"):
        replace(boards.load("nucleo_f446re"), **{key: value})


addresses = st.integers(0, 64).map(lambda step: step * 2**26)
sizes = st.integers(1, 6).map(lambda step: step * 2**26)
regions = st.tuples(addresses, sizes)


@given(flash=regions, ram=regions, boot=regions | st.none(), storage=regions | st.none())
def test_regions_lie_inside_32_bits_and_apart(flash, ram, boot, storage):
    given_regions = {"flash": flash, "ram": ram, "boot": boot, "storage": storage}
    there = {name: region for name, region in given_regions.items() if region}
    changes = {
        f"{name}_{part}": (region or (0, 0))[place]
        for name, region in given_regions.items()
        for place, part in enumerate(("origin", "bytes"))
    }
    changes["erase_bytes"] = 2**25 if storage else 0
    outside = [name for name, (at, size) in there.items() if at + size > 2**32]
    outside += [name for name, (at, _) in there.items() if at == 2**32]
    overlap = [
        (one, other)
        for one, other in combinations(there, 2)
        if there[one][0] < sum(there[other]) and there[other][0] < sum(there[one])
    ]
    board = boards.load("nucleo_1mb")
    if outside or overlap:
        with pytest.raises(ValueError, match=r"^device\.(flash|ram|boot|storage)_") as refused:
            replace(board, **changes)
        named = re.findall(r"device\.([a-z]+)_(?:bytes|origin)", str(refused.value))
        assert set(named) <= {*outside, *(name for pair in overlap for name in pair)}
    else:
        assert replace(board, **changes).flash_origin == flash[0]


@pytest.mark.parametrize(
    ("key", "step"),
    [("flash_origin", 256), ("ram_origin", 8), ("stack_bytes", 8), ("storage_origin", 8192)],
)
@given(off=st.integers(1, 255))
def test_what_is_not_aligned_is_refused(key, step, off):
    board = boards.load("nucleo_1mb")
    value = getattr(board, key) - off
    if off % step:
        with pytest.raises(ValueError, match=rf"^device\.{key}: must be a multiple of"):
            replace(board, **{key: value})


@needs_arm_compiler
@pytest.mark.parametrize("name", boards.names())
def test_a_program_lies_where_the_board_looks_for_it(name, make_identity, tmp_path):
    board = boards.load(name)
    tree, program = tmp_path / "project", tmp_path / "program.elf"
    emit(replace(make_identity(), board=board), tree)
    (tmp_path / "main.cpp").write_text("static int data = 1;\nint main() { return ++data; }\n")
    platform = tree / "platform"
    sources = [
        platform / "startup.cpp",
        platform / "fault.cpp",
        *platform.glob("boot_block.cpp"),
        tmp_path / "main.cpp",
    ]
    flags = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-nostartfiles"]
    flags += ["--specs=nano.specs", "-fno-exceptions", "-DTINYML_INTERRUPTS=3", "-Wl,--gc-sections"]
    link = [f"-T{platform / 'board.ld'}", f"-L{platform}"]
    command = ["arm-none-eabi-g++", *board.core_flags, *flags, *link, *map(str, sources)]
    subprocess.run([*command, "-o", str(program)], check=True)

    vectors = board.boot_origin if board.boot_bytes else board.flash_origin
    sections = {section.name: section for section in elf.read(program).sections}
    assert sections[".vectors"].address == vectors
    assert sections[".stack"].address == board.ram_origin
    assert sections[".stack"].size_bytes == board.stack_bytes
    assert board.ram_origin < sections[".data"].address < board.ram_origin + board.ram_bytes
    assert 0 <= sections[".text"].address - board.flash_origin < 256

    symbols = subprocess.run(
        ["arm-none-eabi-nm", program], check=True, capture_output=True, text=True
    ).stdout
    addresses = {line.split()[2]: int(line.split()[0], 16) for line in symbols.splitlines()}
    assert addresses["__storage_start"] == board.storage_origin
    assert addresses["__storage_end"] == board.storage_origin + board.storage_bytes

    words = np.frombuffer(contents(program, ".vectors", tmp_path), "<u4")
    assert words[0] == board.ram_origin + board.stack_bytes
    assert words[1] == addresses["Reset_Handler"] | 1
    assert words[2] == addresses["NMI_Handler"] | 1
    assert set(words[3:15]) == {addresses["Fault_Handler"] | 1}
    assert words[15] == addresses["SysTick_Handler"] | 1
    assert set(words[16:19]) == {addresses["Interrupt_Handler"] | 1}
    block = [0xFFFFDED3, 0x10210142, 0x000001FF, 0, 0xAB123579]
    assert words[19:].tolist() == (block if board.boot_block == "rp2350" else [])
    assert (".second_stage" in sections) == (board.boot_block == "rp2040")
    if board.boot_block == "rp2040":
        assert sections[".second_stage"].address == 0x10000000
        check_second_stage(contents(program, ".second_stage", tmp_path), vectors, tmp_path)


SECOND_STAGE = """\
.syntax unified
.cpu cortex-m0plus
.thumb
ldr r0, =0x18000000  @ XIP_SSI_BASE
movs r1, #0
str r1, [r0, #0x08]  @ SSIENR
movs r1, #4
str r1, [r0, #0x14]  @ BAUDR
ldr r1, =31 << 16 | 3 << 8  @ CTRLR0: DFS_32, TMOD
str r1, [r0, #0x00]
movs r1, #0
str r1, [r0, #0x04]  @ CTRLR1: NDF
ldr r1, =0x03 << 24 | 2 << 8 | 6 << 2  @ SPI_CTRLR0: XIP_CMD, INST_L, ADDR_L
movs r2, #0xF4
str r1, [r0, r2]
movs r1, #1
str r1, [r0, #0x08]
ldr r0, ={vectors:#x}
ldr r1, =0xE000ED08  @ VTOR
str r0, [r1]
ldmia r0!, {{r1, r2}}
msr msp, r1
bx r2
nop
.ltorg
"""


def check_second_stage(found: bytes, vectors: int, folder: Path) -> None:
    """It is what the assembler makes of these instructions, and has the checksum that the boot ROM wants.

    That is CRC-32 with every bit of bytes and result turned round and the result inverted; 0x0376E6E7
    is its published check value (CRC-32/MPEG-2).
    """

    def turned(value: int, bits: int) -> int:
        return int(f"{value:0{bits}b}"[::-1], 2)

    def checksum(data: bytes) -> int:
        return turned(zlib.crc32(bytes(turned(byte, 8) for byte in data)) ^ 0xFFFFFFFF, 32)

    assert checksum(b"123456789") == 0x0376E6E7
    (folder / "stage.s").write_text(SECOND_STAGE.format(vectors=vectors))
    subprocess.run(["arm-none-eabi-as", "stage.s", "-o", "stage.o"], cwd=folder, check=True)
    code = contents(folder / "stage.o", ".text", folder)
    assert len(found) == 256
    assert found[:252] == code.ljust(252, b"\0")
    assert found[252:] == checksum(found[:252]).to_bytes(4, "little")


def contents(program: Path, section: str, folder: Path) -> bytes:
    """The bytes of a section of an ELF file."""
    copy = folder / "section.bin"
    command = ["arm-none-eabi-objcopy", "-O", "binary", f"--only-section={section}"]
    subprocess.run([*command, program, copy], check=True)
    return copy.read_bytes()
