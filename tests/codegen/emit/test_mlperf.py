"""Firmware that MLPerf Tiny's runner can talk to, on emulated boards, and a client that speaks its protocol."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mlperf
from codegen.boards.board import load
from codegen.boards.machines import MACHINES
from codegen.emit.emitter import emit
from codegen.emit.network import emit_network
from codegen.frontend.read import parse
from codegen.inference import host_outputs
from codegen.ir import Graph, Quantization
from codegen.link.port import SerialPort
from codegen.project import Golden, Network, Project
from codegen.toolchain import run as toolchain
from codegen.toolchain.host import HostModel
from codegen.toolchain.run import ToolchainError
from tests.codegen.conftest import SCALE, ZERO_POINT, identity_project
from tests.codegen.link.emulated import Emulator
from tests.codegen.test_command_line import classifier
from tests.support.models import to_flatbuffer
from tests.support.needs import needs_board_tools
from tools.graphs.builder import Builder

COUNTED = ("-icount", "shift=0")
"""An instruction takes a nanosecond of the emulated board's time."""

pytestmark = needs_board_tools


def build(tree: Path, folder: Path, *options: str) -> Path:
    folder.mkdir()
    cross = f"-DCMAKE_TOOLCHAIN_FILE={tree / 'cmake' / 'arm-none-eabi.cmake'}"
    configure = ["cmake", "-S", str(tree), "-B", ".", cross, "-DEMULATED=ON", *options]
    toolchain.run(configure, folder, 60)
    toolchain.run(["cmake", "--build", ".", "--target", "mlperf"], folder, 300)
    return folder / "emulated_mlperf.elf"


@contextmanager
def device(program: Path, machine: str) -> Iterator[mlperf.Device]:
    """The board, once it is ready."""
    with (
        Emulator(machine, program, program.parent, options=COUNTED) as emulator,
        closing(SerialPort(emulator.port)) as port,
    ):
        yield mlperf.Device(port)


def network(graph: Graph, board: str) -> Network:
    """Through a file, as users have it."""
    graph = parse(to_flatbuffer(graph))
    none = np.zeros((0, graph.output.elements), graph.output.dtype)
    return Network("tested", graph, load(board), Golden(none[:, :1], none))


def expected(found: Network, codes: np.ndarray) -> np.ndarray:
    """Real outputs (N, outputs) of the same project on this computer."""
    outputs = host_outputs(replace(found, golden=Golden(codes, found.golden.features)))
    quantization = found.graph.output.quantization
    return quantization.scales[0] * (outputs.astype(float) - quantization.zero_points[0])


def pictures() -> Graph:
    """A classifier, to its logits, whose codes are bytes less 128."""
    graph = classifier(tail="")
    image = replace(graph.input, quantization=Quantization((1 / 255,), (-128,)))
    tensors = list(graph.tensors)
    tensors[graph.inputs[0]] = image
    return replace(graph, tensors=tuple(tensors))


def autoencoder() -> Graph:
    """48 numbers through 6 to 48."""
    rng = np.random.default_rng(5)
    b = Builder(rng)
    source = x = b.activation((1, 48), 0.05, -7)
    for width in (6, 48):
        inputs = b.tensors[x].shape[1]
        weights = b.constant(rng.integers(-127, 128, (width, inputs)).astype(np.int8), (0.004,))
        bias = b.constant(rng.integers(-500, 500, width).astype(np.int32))
        output = b.activation((1, width), 0.06)
        x = b.operator("FULLY_CONNECTED", (x, weights, bias), output, fused_activation="NONE")
    return b.graph(source, x)


@pytest.fixture(scope="module")
def classifying(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, Path]:
    folder = tmp_path_factory.mktemp("ic01")
    project = network(pictures(), "nucleo_l4r5zi")
    emit_network(project, folder / "project")
    return project, build(folder / "project", folder / "build", "-DMLPERF=ic01")


def write_data(folder: Path, files: dict[str, tuple[int, bytes]], *window: int) -> None:
    with (folder / "y_labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        for name, (label, content) in files.items():
            (folder / name).write_bytes(content)
            rows.writerow([name, 5, label, *window])


def test_accuracy_mode_gives_the_outputs_of_the_host(classifying, tmp_path: Path) -> None:
    project, program = classifying
    rng = np.random.default_rng(8)
    pixels = rng.uniform(0, rng.uniform(0, 256, (6, 1, 1, 3)), (6, 8, 8, 3)).astype(np.uint8)
    outputs = expected(project, (pixels ^ 128).view(np.int8))
    labels = np.argmax(outputs, axis=1)
    assert len(np.unique(outputs, axis=0)) == 6
    labels[2] = (labels[2] + 1) % 5  # one is wrong
    files = {f"{i}.bin": (int(labels[i]), pixels[i].tobytes()) for i in range(6)}
    write_data(tmp_path, files)
    data = list(mlperf.samples(tmp_path))
    with device(program, project.board.emulator) as board:
        assert board.model() == "ic01"
        assert board.name()
        found = mlperf.scores(board, data)
        said = mlperf.accuracy(board, data)
    np.testing.assert_allclose(found, outputs, atol=0.00051)
    assert said == "top-1 = 83.33 %, 5 of 6 files"


def test_performance_mode_times_inferences_and_nothing_else(classifying, tmp_path: Path) -> None:
    project, program = classifying
    write_data(tmp_path, {"a.bin": (0, bytes(192)), "b.bin": (1, bytes(range(192)))})
    data = list(mlperf.samples(tmp_path))
    with device(program, project.board.emulator) as board:
        board.load(data[1].inputs[0])
        few, more, warm = board.infer(20), board.infer(120), board.infer(20, 300)
        rates = mlperf.performance(board, data, 100, 1)
    assert few.results == more.results == warm.results  # the input stays
    each_us = (more.elapsed_us - few.elapsed_us) / 100
    macs = 64 * 12 * 27 + 12 * 5
    assert 1 < each_us * 1000 / macs < 10  # instructions of a multiply-add
    assert abs(warm.elapsed_us - few.elapsed_us) < 3
    assert few.elapsed_us < 20 * each_us + 100  # and one line of text
    assert rates == pytest.approx([1e6 / each_us] * 2, rel=0.02)


def test_the_board_greets_when_it_starts(classifying) -> None:
    project, program = classifying
    machine = MACHINES[project.board.emulator].arguments
    command = ["qemu-system-arm", *machine, "-nographic", "-monitor", "none", "-serial", "stdio"]
    with subprocess.Popen([*command, "-kernel", program], stdout=subprocess.PIPE) as process:
        lines = [process.stdout.readline() for _ in range(4)]
        process.kill()
    assert lines.pop(1).startswith(b"m-lap-us-")
    assert b"".join(lines) == b"m-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n"


def test_what_the_board_refuses(classifying) -> None:
    project, program = classifying
    with device(program, project.board.emulator) as board:
        assert board.command("help")
        assert re.fullmatch(r"m-lap-us-\d+", board.command("timestamp")[0])
        for command, message in {
            "neame": "Unknown command: neame",
            "db": "requires a subcommand",
            "db load 191": "another number of bytes: 192",
            "db load x": "another number of bytes: 192",
            "db 00": "Bytes come after 'db load'",
            "infer": "The input has 0 bytes, expected 192",
            "infer 0": "iterations must be >0",
            "infer 1 -1": "warmup must be >=0",
            "results": "Nothing was inferred yet",
            "db " + "0" * 80: "at most 80 characters",
        }.items():
            with pytest.raises(mlperf.ProtocolError, match=re.escape(message)):
                board.command(command)
        assert board.command("db load 192") == ["m-[Expecting 192 bytes]"]
        for digits in ("0", "0g", "00f"):
            with pytest.raises(mlperf.ProtocolError, match="pairs of hexadecimal digits"):
                board.command(f"db {digits}")
        content = bytes(range(64, 256))
        assert board.command("db " + content[:30].hex().upper()) == []
        with pytest.raises(mlperf.ProtocolError, match="The input has 30 bytes"):
            board.command("infer 1 0")
        assert board.command("db print 10 2") == [
            "m-buffer-" + content[2:10].hex("-"),
            "m-buffer-" + content[10:12].hex("-"),
        ]
        assert board.command("db print 4 28") == ["m-buffer-5c-5d"]
        board.load(content)
        results = ",".join(f"{value:.3f}" for value in board.infer().results)
        assert board.command("results") == [f"m-results-[{results}]"]
        assert results.count(",") == 4


def test_an_autoencoder_tells_how_badly_it_reproduces_real_numbers(tmp_path: Path) -> None:
    """Windows of a file overlap, as those of sound do; on a core without a cycle counter or FPU."""
    project = network(autoencoder(), "nucleo_g0b1re")
    emit_network(project, tmp_path / "project")
    program = build(tmp_path / "project", tmp_path / "build", "-DMLPERF=ad01")
    rng = np.random.default_rng(6)
    given = rng.normal(0, 3, (4, 60)).astype("<f4")
    given[2:] /= 8
    labels = (1, 1, 0, 0)
    write_data(
        tmp_path, {f"{i}.bin": (labels[i], given[i].tobytes()) for i in range(4)}, 4 * 48, 4 * 12
    )
    data = list(mlperf.samples(tmp_path))
    assert [len(sample.inputs) for sample in data] == [2] * 4
    windows = np.stack([given[:, :48], given[:, 12:]], axis=1)
    source = project.graph.input.quantization
    steps = windows / np.float32(source.scales[0])
    codes = np.trunc(steps + np.copysign(0.5, steps)) + source.zero_points[0]
    codes = np.clip(codes, -128, 127).astype(np.int8).reshape(8, 48)
    errors = np.mean((expected(project, codes).reshape(4, 2, 48) - windows) ** 2, axis=(1, 2))
    with device(program, project.board.emulator) as board:
        found = mlperf.scores(board, data)
        assert mlperf.accuracy(board, data) == "AUC = 1.000 of 4 files"
        first, second = board.infer(10), board.infer(20)
    np.testing.assert_allclose(found[:, 0], errors, atol=0.001, rtol=1e-5)
    assert 1.9 < second.elapsed_us / first.elapsed_us < 2.1


def test_a_project_that_learns_gives_probabilities_of_its_first_head(tmp_path: Path) -> None:
    project: Project = identity_project(core="cortex-m33")
    emit(project, tmp_path / "project")
    with pytest.raises(ToolchainError, match="how this network sees a byte of an image is not"):
        build(tmp_path / "project", tmp_path / "bytes", "-DMLPERF=vww01")
    with pytest.raises(ToolchainError, match="must be uint8"):
        build(tmp_path / "project", tmp_path / "unknown", "-DMLPERF=mine")
    program = build(tmp_path / "project", tmp_path / "build", "-DMLPERF=kws01")
    images = np.random.default_rng(9).integers(-128, 128, (4, 1, 12, 1)).astype(np.int8)
    host = HostModel(tmp_path / "project")
    weights, bias = host.head()
    logits = SCALE * (images.reshape(4, 12) - float(ZERO_POINT)) @ weights.T + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    with device(program, project.board.emulator) as board:
        found = []
        for image in images:
            board.load(image.tobytes())
            found.append(board.infer().results)
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=0.00051)
