"""Damaged and hostile models: a ``ModelError`` or a sound program, within bounded time and memory."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.emit.emitter import ROOT
from codegen.frontend.read import parse
from codegen.ir import Graph, ModelError
from codegen.ops import MADE_HERE, OPERATORS
from codegen.passes.legalize import REWRITTEN
from tests.support.extractors import LANGUAGE, WARNINGS, write_case
from tests.support.hostile import compile_all_the_way, damaged
from tests.support.mobile import mobile_graph
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder
from tools.graphs.cases import CASES

MODELS = 600
LAST_SEED = 12
GUIDES = Path(__file__).parent / "guides"
SURVIVORS = 24
MEMORY_BYTES = 1 << 30  # NumPy and its threads reserve most of it
SECONDS = 60


def compiled(model: bytes) -> Graph | None:
    """None for a refusal; any other exception, a warning too, is a failure."""
    try:
        return compile_all_the_way(model)
    except ModelError:
        return None


@pytest.fixture(scope="module")
def whole() -> bytes:
    return to_flatbuffer(CASES["hard_sigmoid"](np.random.default_rng(2), "int8"))


def test_every_truncation_is_refused(whole: bytes) -> None:
    for length in range(len(whole) - 16):  # the rest may be padding behind the last vector
        with pytest.raises(ModelError):
            compile_all_the_way(whole[:length])


@pytest.mark.parametrize("value", [0x00, 0xFF, 0x80, 0x01])
def test_every_byte_of_a_file_may_be_another(whole: bytes, value: int) -> None:
    refused = 0
    for position in range(len(whole)):
        model = bytearray(whole)
        model[position] ^= value or model[position]
        refused += compiled(bytes(model)) is None
    assert 0 < refused < len(whole)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_words_of_a_network_may_point_anywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = bytearray(MOBILE)
    for _ in range(int(rng.integers(1, 4))):
        position = int(rng.integers(len(model) // 4)) * 4
        words = (
            0,
            1,
            0x7FFFFFFF,
            0x80000000,
            0xFFFFFFFF,
            len(model),
            int(rng.integers(len(model))),
        )
        struct.pack_into("<I", model, position, words[int(rng.integers(len(words)))])
    compiled(bytes(model))


def test_hostile_fields_are_refused_or_give_clean_programs(tmp_path: Path) -> None:
    """What is not refused compiles without a warning and stays inside its tensors."""
    rng = np.random.default_rng(5)
    kinds = (single_operators(), whole_networks())
    choices = [kind[int(rng.integers(len(kind)))] for kind in kinds for _ in range(MODELS // 2)]
    graphs = [compiled(damaged(base, rng)) for base in choices]
    sound = [graph for graph in graphs if graph is not None]
    assert len(sound) > SURVIVORS
    assert len(sound) < MODELS / 2
    run_sanitized([sound[i] for i in range(0, len(sound), len(sound) // SURVIVORS)], tmp_path)


def single_operators() -> list[bytes]:
    """Two models of each family, and of every operator that these lack one that has it."""
    graphs: list[Graph] = [cast()]
    seen = {op.kind for op in graphs[0].ops}
    for seed in range(LAST_SEED):
        for case in CASES.values():
            for dtype in ("int8", "float32"):
                graph = case(np.random.default_rng(seed), dtype)
                found = {op.kind for op in graph.ops}
                if seed < 2 or not found <= seen:
                    graphs.append(graph)
                    seen |= found
    return [to_flatbuffer(graph) for graph in graphs]


def whole_networks() -> list[bytes]:
    """Keras's, as exported, and as many of a MobileNetV3."""
    files = [path.read_bytes() for path in sorted(GUIDES.glob("*.tflite"))]
    return [*files, *[MOBILE] * len(files)]


def cast() -> Graph:
    """Bytes that the network itself makes reals."""
    b = Builder(np.random.default_rng(0), "float32")
    source = b.activation((1, 4, 4, 3), dtype="uint8")
    reals = b.operator("CAST", (source,), b.activation((1, 4, 4, 3)))
    return b.graph(source, b.operator("RELU6", (reals,), b.activation((1, 4, 4, 3))))


def test_every_operator_is_among_those_that_are_damaged() -> None:
    models = [*single_operators(), *whole_networks()]
    seen = {op.kind for model in models for op in parse(model).ops}
    assert {*OPERATORS, *REWRITTEN} - MADE_HERE - seen == set()


def run_sanitized(graphs: Sequence[Graph], folder: Path) -> None:
    """One program that runs every extractor on some codes, under sanitizers."""
    includes, runs = [], []
    for number, graph in enumerate(graphs):
        if max(graph.input.elements, graph.output.elements) > 1 << 16:
            continue
        includes += write_case(graph, folder, f"case{number}")
        image, features = (
            "float" if tensor.dtype == "float32" else "std::int8_t"
            for tensor in (graph.input, graph.output)
        )
        runs += [
            "  {",
            f"    static {image} image[{graph.input.elements}];",
            f"    static {features} out[{graph.output.elements}];",
            "    int code = -128;",
            f"    for (auto& pixel : image) pixel = static_cast<{image}>(code = (code * 5 + 1) % 128);",
            f"    tinyml::case{number}::extract(image, out);",
            "  }",
        ]
    (folder / "main.cpp").write_text("\n".join([*includes, "int main() {", *runs, "}", ""]))
    sanitize = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    command = ["g++", *LANGUAGE, *WARNINGS, *sanitize, "-I.", f"-I{ROOT}", "main.cpp", "-o", "run"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run([folder / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- files that ask for much ---------------------------------------------------------------------


def long_chain(operators: int) -> bytes:
    b = Builder(np.random.default_rng(0))
    source = output = b.activation((1, 4))
    for _ in range(operators):
        output = b.operator("HARD_SWISH", (output,), b.activation((1, 4)))
    return to_flatbuffer(b.graph(source, output))


def one_buffer_for_all(tensors: int, size: int) -> bytes:
    """Every constant is the same megabyte of the file."""
    b = Builder(np.random.default_rng(0))
    source = output = b.activation((1, size), 0.05)
    weights = np.zeros((1, size), np.int8)
    for _ in range(tensors):
        other = b.activation((1, size), 0.05)
        inputs = (output, b.constant(weights, (0.1,)))
        output = b.operator("ADD", inputs, other, fused_activation="NONE")
    return to_flatbuffer(b.graph(source, output))


def self_reference(model: bytes) -> bytes:
    """The vector of tensors becomes the vector of subgraphs: tables are read as what they are not."""
    altered = bytearray(model)
    root = struct.unpack_from("<I", altered)[0]
    for position in range(root, root + 64, 4):
        struct.pack_into("<I", altered, position, 0)  # each points at itself
    return bytes(altered)


def vector_of_everything(model: bytes) -> bytes:
    """All lengths in the file that look like small counts become large."""
    altered = bytearray(model)
    for position in range(0, len(altered) - 3, 4):
        if 0 < struct.unpack_from("<I", altered, position)[0] < 40:
            struct.pack_into("<I", altered, position, len(altered) // 8)
    return bytes(altered)


MOBILE = to_flatbuffer(mobile_graph())
GREEDY = {
    "too many operators": (long_chain(2000), "512 are taken"),
    "activations of gigabytes": (
        one_buffer_for_all(120, 1 << 20),
        "activations take|no tensor may",
    ),
    "offsets to themselves": (self_reference(MOBILE), ""),
    "counts as long as the file": (vector_of_everything(MOBILE), ""),
}


@pytest.mark.parametrize("name", GREEDY)
def test_greedy_files_are_refused_within_memory_and_time(name: str, tmp_path: Path) -> None:
    model, message = GREEDY[name]
    path = tmp_path / "greedy.tflite"
    path.write_bytes(model)
    limits = f"resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY_BYTES}, {MEMORY_BYTES}))"
    program = (
        f"import resource, sys\nfrom codegen.__main__ import main\n{limits}\nsys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), "--device", "nucleo_l4r5zi", "--dry-run"],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith(f"error: {path}: ")
    if message:
        assert any(part in done.stderr for part in message.split("|")), done.stderr


def test_constants_are_the_files_own_bytes() -> None:
    """A buffer that many tensors share takes no memory for each of them."""
    graph = parse(MOBILE)
    weights = [tensor.data for tensor in graph.tensors if tensor.data is not None]
    assert all(data.base is not None and not data.flags.writeable for data in weights)
