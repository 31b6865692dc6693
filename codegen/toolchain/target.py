"""A generated project on its board: built, measured, and run on the emulated board.

``firmware.elf`` is what ships, and what planned flash and RAM are compared with. ``self_test.elf``
and ``stream.elf`` run on the emulated board, whose memory is cut to the board's lengths; what only
tests need lies outside of these.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.boards.board import Board
from codegen.boards.machines import Machine, machine_for
from codegen.toolchain import elf
from codegen.toolchain import run as toolchain
from codegen.toolchain.host import Shape

BUILD_TIMEOUT_S = 600.0
RUN_TIMEOUT_S = 300.0
NO_LABEL = 255


@dataclass(frozen=True)
class Linked:
    """Bytes that the linked firmware takes of the board, the reserved stack included."""

    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True, eq=False)
class StreamRun:
    """What a board did with a stream of samples.

    ``features`` (N, F) in the extractor's dtype, ``predictions`` uint8 (N,) made before each sample
    was learned, and the head at the end: ``weights`` (C, F) and ``bias`` (C,) in float32; ``state`` is
    all that the learner saves, as ``HostModel.state``.
    ``stack_bytes`` is the deepest that the stack has been.
    """

    features: npt.NDArray[np.generic]
    predictions: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    state: npt.NDArray[np.float32]
    stack_bytes: int


def build_firmware(project: Path, folder: Path) -> Path:
    """Build the emitted ``project`` for its board in ``folder``; the path of ``firmware.elf``.

    Raises:
        ToolchainError: cmake or the cross-compiler is missing or failed; a program that does not
            fit the board fails to link.
    """
    _cmake(project, folder, "firmware", emulated=False)
    return folder / "firmware.elf"


def linked(project: Path, board: Board, folder: Path) -> Linked:
    """What the firmware takes of ``board``; builds it as ``build_firmware`` does."""
    program = elf.read(build_firmware(project, folder))
    return Linked(
        flash_bytes=program.flash_bytes(board.flash_origin, board.flash_bytes),
        ram_bytes=program.ram_bytes(board.ram_origin, board.ram_bytes),
    )


def run_self_test(project: Path, board: Board, folder: Path) -> str:
    """Run the self-test on the emulated board; what it printed.

    Raises:
        ToolchainError: a program is missing, the project does not build, or the test fails.
    """
    machine = machine_for(board.emulator, board.core)
    _cmake(project, folder, "self_test", emulated=True)
    return _emulate(machine, folder / "self_test.elf", folder)


def run_stream(
    project: Path,
    board: Board,
    folder: Path,
    shape: Shape,
    images: npt.NDArray[np.generic],
    labels: npt.NDArray[np.uint8] | None = None,
) -> StreamRun:
    """Feed ``images`` (N, H, W, C) to the emulated board; with ``labels`` (N,) it also learns.

    ``shape`` is the model's, see ``HostModel.shape``.

    Raises:
        ToolchainError: a program is missing, the project does not build, or the run fails.
        ValueError: images or labels are not what the model takes.
    """
    images = shape.checked_images(images)
    machine = machine_for(board.emulator, board.core)
    _cmake(project, folder, "stream", emulated=True)
    count = len(images)
    pixels = images.reshape(count, -1).view(np.uint8)
    marks = np.full(count, NO_LABEL, np.uint8) if labels is None else labels.astype(np.uint8)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        records = np.concatenate([pixels, marks[:, np.newaxis]], axis=1)
        content = np.array([count], "<i4").tobytes() + records.tobytes()
        (Path(scratch) / "stream.in").write_bytes(content)
        printed = _emulate(machine, (folder / "stream.elf").resolve(), Path(scratch))
        output = (Path(scratch) / "stream.out").read_bytes()
    row = np.dtype([("features", shape.feature_dtype, shape.features), ("prediction", np.uint8)])
    rows = np.frombuffer(output, row, count)
    state = np.frombuffer(output, "<f4", offset=rows.nbytes).astype(np.float32)
    at = shape.features * shape.classes
    weights = state[:at].reshape(shape.features, shape.classes)
    return StreamRun(
        features=rows["features"].copy(),
        predictions=rows["prediction"].copy(),
        weights=np.ascontiguousarray(weights.T, np.float32),
        bias=state[at : at + shape.classes],
        state=state,
        stack_bytes=stack_bytes(printed),
    )


def stack_bytes(printed: str) -> int:
    """The stack's high-water mark in the output of a test program."""
    found = re.search(r"stack bytes used: (\d+)", printed)
    if found is None:
        raise toolchain.ToolchainError(f"the program did not report its stack:\n{printed}")
    return int(found[1])


def _cmake(project: Path, folder: Path, target: str, *, emulated: bool) -> None:
    cmake = toolchain.find("cmake")
    toolchain.find("arm-none-eabi-g++")
    folder.mkdir(parents=True, exist_ok=True)
    cross = f"-DCMAKE_TOOLCHAIN_FILE={(project / 'cmake/arm-none-eabi.cmake').resolve()}"
    configure = [cmake, "-S", str(project.resolve()), "-B", ".", cross]
    configure += ["-DEMULATED=ON"] if emulated else []
    toolchain.run(configure, folder, BUILD_TIMEOUT_S)
    toolchain.run([cmake, "--build", ".", "--target", target], folder, BUILD_TIMEOUT_S)


def _emulate(machine: Machine, program: Path, folder: Path) -> str:
    qemu = toolchain.find("qemu-system-arm")
    command = [qemu, *machine.arguments, "-nographic", "-monitor", "none", "-serial", "none"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    return toolchain.run(command, folder, RUN_TIMEOUT_S)
