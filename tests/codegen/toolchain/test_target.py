"""Projects on emulated boards: Cortex-M4, -M7, -M33 and -M55."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.learners.tybox import Tybox
from codegen.toolchain import elf, target
from codegen.toolchain.host import HostModel
from codegen.toolchain.run import ToolchainError
from tests.codegen.conftest import BOARDS
from tests.support.mobile import CLASSES, mobile_project, to_codes
from tests.support.needs import MISSING, needs_board_tools

IMAGES = 20


@pytest.fixture(scope="module", params=sorted(BOARDS))
def built(request, tmp_path_factory, sample):
    """A small MobileNetV3 for a board: project, folder of the project, folder of its build."""
    board = BOARDS[request.param]
    images = sample.split("test").pixels[:IMAGES]
    project = mobile_project(board, images, Tybox(0.002, passes=2), 7)
    folder = tmp_path_factory.mktemp(request.param)
    emit(project, folder / "project")
    return project, folder / "project", folder / "emulated"


@needs_board_tools
def test_self_test_passes_within_the_stack(built):
    project, tree, folder = built
    printed = target.run_self_test(tree, project.board, folder)
    assert "features that differ from the oracle's: 0\n" in printed
    assert printed.endswith("PASS\n")
    assert 100 < target.stack_bytes(printed) < project.board.stack_bytes / 2


@needs_board_tools
def test_real_images_give_the_oracles_bytes_and_learning_the_hosts_bits(built):
    project, tree, folder = built
    host = HostModel(tree)
    images = project.golden.inputs
    labels = np.arange(IMAGES, dtype=np.uint8) % CLASSES
    run = target.run_stream(tree, project.board, folder, host.shape, images, labels)
    np.testing.assert_array_equal(run.features, project.golden.features)
    for row, label, predicted in zip(run.features, labels, run.predictions, strict=True):
        assert host.predict(row[np.newaxis])[0] == predicted
        host.learn(row, int(label))
    weights, bias = host.head()
    np.testing.assert_array_equal(run.weights, weights)
    np.testing.assert_array_equal(run.bias, bias)
    assert not np.array_equal(weights, project.head.weights)
    assert run.stack_bytes < project.board.stack_bytes / 2


@needs_board_tools
def test_nothing_writes_to_constants(sample, tmp_path):
    """On the machine whose flash is a ROM, where such a write is lost, the host's bits are learned.

    Its memory is the board's own, so this is the board's linker script, all but the lengths.
    """
    board = replace(load("nucleo_f446re"), emulator="netduinoplus2")
    images = sample.split("test").pixels[:6]
    project = mobile_project(board, images, Tybox(0.002), 3)
    tree, labels = tmp_path / "project", np.arange(6, dtype=np.uint8)
    emit(project, tree)
    host = HostModel(tree)
    run = target.run_stream(
        tree, board, tmp_path / "build", host.shape, project.golden.inputs, labels
    )
    np.testing.assert_array_equal(run.features, project.golden.features)
    for row, label in zip(run.features, labels, strict=True):
        host.learn(row, int(label))
    np.testing.assert_array_equal(run.weights, host.head()[0])


@needs_board_tools
@pytest.mark.parametrize(("machine", "read_back"), [("netduinoplus2", 0), ("mps2-an386", 5)])
def test_a_write_to_a_constant_is_lost_in_a_rom_only(emit_identity, tmp_path, machine, read_back):
    project, tree = emit_identity(machine=machine)
    program = tree / "test" / "self_test.cpp"
    constant = "const_cast<volatile float&>(tinyml::kInitialWeights[0])"
    program.write_text(
        '#include "src/head.hpp"\n'
        + program.read_text().replace(
            "  test_extractor();",
            f"  {constant} = 5.0F;\n  io::print(static_cast<long>({constant}));\n"
            "  test_extractor();",
        )
    )
    printed = target.run_self_test(tree, project.board, tmp_path)
    assert printed.startswith(f"{read_back}features that differ")


@needs_board_tools
def test_without_labels_nothing_is_learned(built):
    project, tree, folder = built
    host = HostModel(tree)
    images = project.golden.inputs[:3]
    run = target.run_stream(tree, project.board, folder, host.shape, images)
    np.testing.assert_array_equal(run.weights, project.head.weights)
    np.testing.assert_array_equal(run.predictions, host.predict(project.golden.features[:3]))


@needs_board_tools
def test_a_wrong_byte_fails_the_self_test(sample, tmp_path):
    board = BOARDS["cortex-m4"]
    project = mobile_project(board, sample.split("test").pixels[:2], Tybox(0.01), 2)
    project.golden.features[1, 3] ^= 1
    emit(project, tmp_path / "project")
    with pytest.raises(ToolchainError, match="differ from the oracle's: 1\n") as failure:
        target.run_self_test(tmp_path / "project", board, tmp_path / "build")
    assert "exit code 1" in str(failure.value)


@needs_board_tools
def test_a_fault_ends_the_emulator(emit_identity, tmp_path):
    project, tree = emit_identity()
    program = tree / "test" / "self_test.cpp"
    crash = "*reinterpret_cast<volatile int*>(0xF0000000U) = 1;"
    program.write_text(
        program.read_text().replace("test_extractor();", f"{crash} test_extractor();")
    )
    with pytest.raises(ToolchainError, match="exit code 99"):
        target.run_self_test(tree, project.board, tmp_path)


@needs_board_tools
def test_images_that_do_not_fit_are_refused(emit_identity, tmp_path):
    project, tree = emit_identity()
    shape = HostModel(tree).shape
    images = np.zeros((2, 1, 13, 1), np.int8)
    with pytest.raises(ValueError, match=r"images: must be int8 \(N, 1, 12, 1\)"):
        target.run_stream(tree, project.board, tmp_path, shape, images)


@needs_board_tools
def test_a_missing_cross_compiler_is_named(emit_identity, tmp_path, monkeypatch):
    _, tree = emit_identity()
    (tmp_path / "cmake").symlink_to(shutil.which("cmake"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ToolchainError, match=r"arm-none-eabi-g\+\+ not found .*: apt-get install gcc-arm"
    ):
        target.build_firmware(tree, tmp_path / "build")


# --- ELF files -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def firmware(emit_identity, tmp_path_factory):
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    project, tree = emit_identity()
    return project, target.build_firmware(tree, tmp_path_factory.mktemp("firmware"))


def test_what_is_flashed_holds_the_program_and_leaves_the_storage_alone(firmware):
    """The hex file has the bytes of the ELF's segments, and none of the storage between them."""
    project, path = firmware
    board, low, covered = project.board, 0, set()
    for line in path.with_suffix(".hex").read_text().split():
        record = bytes.fromhex(line[1:])
        assert sum(record) % 256 == 0
        if record[3] == 4:
            low = int.from_bytes(record[4:6], "big") << 16
        elif record[3] == 0:
            start = low + int.from_bytes(record[1:3], "big")
            covered |= set(range(start, start + record[0]))
    segments = [s for s in elf.read(path).segments if s.file_bytes]
    assert covered == {
        address
        for s in segments
        for address in range(s.load_address, s.load_address + s.file_bytes)
    }
    storage = range(board.storage_origin, board.storage_origin + board.storage_bytes)
    assert not covered.intersection(storage)
    assert not path.with_suffix(".bin").exists()  # it would fill what lies between


@needs_board_tools
def test_an_emulators_image_is_no_boards(emit_identity, tmp_path):
    """The README's commands, in the order in which they stand there."""
    project, tree = emit_identity()
    readme = (tree / "README.md").read_text()
    assert project.board.programmer in readme
    assert f"python -m codegen.link {project.board.port} hello" in readme
    given = [line.strip() for line in readme.splitlines() if line.startswith("    c")]
    (configure,) = [line for line in given if "-DEMULATED=ON" in line]
    subprocess.run(configure, check=True, shell=True, cwd=tree, capture_output=True)
    build = ["cmake", "--build", "build-emulated", "--target", "firmware"]
    subprocess.run(build, check=True, cwd=tree, capture_output=True)
    assert (tree / "build-emulated" / "emulated.elf").exists()
    assert "-kernel build-emulated/emulated.elf" in readme
    assert not list(tree.rglob("firmware.*lf"))


def test_sections_are_readelfs(firmware):
    path = firmware[1]
    printed = subprocess.run(
        ["arm-none-eabi-readelf", "-S", "-W", path], check=True, capture_output=True, text=True
    ).stdout
    rows = re.findall(r"\] (\S+) +\S+ +([0-9a-f]{8}) \S+ ([0-9a-f]{6}) \S+ +(\w*A\w*) ", printed)
    expected = {(name, int(at, 16), int(size, 16)) for name, at, size, _ in rows if int(size, 16)}
    sections = elf.read(path).sections
    assert {(s.name, s.address, s.size_bytes) for s in sections} == expected
    assert {s.name for s in sections} >= {".text", ".stack", ".bss"}


def test_flash_and_ram_are_their_regions_extents(firmware):
    project, path = firmware
    board, program = project.board, elf.read(path)
    sizes = (
        subprocess.run(["arm-none-eabi-size", path], check=True, capture_output=True, text=True)
        .stdout.splitlines()[1]
        .split()
    )
    text, data, bss = (int(size) for size in sizes[:3])
    flash = program.flash_bytes(board.flash_origin, board.flash_bytes)
    ram = program.ram_bytes(board.ram_origin, board.ram_bytes)
    vectors = program.flash_bytes(board.boot_origin, board.boot_bytes)
    assert vectors == 64
    assert 0 <= flash + vectors - (text + data) < 16
    assert 0 <= ram - (data + bss) < 16
    assert program.flash_bytes(0x90000000, 1024) == 0


def test_the_firmware_has_no_semihosting_and_no_test(firmware):
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "-C", firmware[1]], check=True, capture_output=True, text=True
    ).stdout
    assert "tinyml::identity::Application::receive" in symbols
    assert not re.search(r"semihost|golden|printf|malloc|_sbrk|__cxa_throw|typeinfo", symbols)


def test_constants_are_in_flash(firmware):
    board = firmware[0].board
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "-C", firmware[1]], check=True, capture_output=True, text=True
    ).stdout
    address = int(re.search(r"(\w+) \w tinyml::identity::kInitialWeights", symbols)[1], 16)
    assert board.flash_origin <= address < board.flash_origin + board.flash_bytes


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01" + bytes(60), b"\x7fELF\x01\x01"])
def test_what_is_no_program_is_refused(tmp_path, content):
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    with pytest.raises(elf.ElfError, match=r"x\.elf"):
        elf.read(path)


def test_a_truncated_program_is_refused(firmware, tmp_path):
    content = firmware[1].read_bytes()
    for length in (40, len(content) // 2, len(content) - 200):
        (tmp_path / "x.elf").write_bytes(content[:length])
        with pytest.raises(elf.ElfError, match="truncated"):
            elf.read(tmp_path / "x.elf")


def test_codes_are_pixels_less_128():
    pixels = np.array([0, 127, 128, 255], np.uint8)
    np.testing.assert_array_equal(to_codes(pixels), [-128, -1, 0, 127])
