"""Every kernel against TensorFlow Lite Micro: byte for byte in int8, to rounding in float."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from codegen.frontend.read import read
from codegen.ir import Graph
from tests.support.extractors import Extractor, compile_extractors, oracle
from tests.support.families import PLAIN
from tests.support.models import random_inputs, to_flatbuffer
from tools.graphs.cases import CASES

INPUTS = 4
MODELS = {"int8": 24, "float32": 8}
PLAIN_MODELS = {"int8": 10, "float32": 4}
Library = Mapping[tuple[str, str], list["Compiled"]]


@dataclass(frozen=True)
class Compiled:
    """A model, what the compiler made of it, and that as a function."""

    model: bytes
    graph: Graph
    extract: Extractor


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """All random models, compiled at once: the compiler reads its headers only once."""
    made: list[tuple[tuple[str, str], bytes, Graph]] = []
    for dtype in MODELS:
        for name, case in CASES.items():
            count = (PLAIN_MODELS if name in PLAIN else MODELS)[dtype]
            rng = np.random.default_rng(zlib.crc32(f"{name} {dtype}".encode()))
            models = [to_flatbuffer(case(rng, dtype)) for _ in range(count)]
            made += [((name, dtype), model, read(model)) for model in models]
    folder = tmp_path_factory.mktemp("kernels")
    extractors = compile_extractors([graph for _, _, graph in made], folder)
    compiled: dict[tuple[str, str], list[Compiled]] = {key: [] for key, _, _ in made}
    for (key, model, graph), extract in zip(made, extractors, strict=True):
        compiled[key].append(Compiled(model, graph, extract))
    return compiled


@pytest.mark.parametrize("name", CASES)
def test_int8_kernels_give_the_oracles_bytes(name: str, library: Library) -> None:
    rng = np.random.default_rng(0)
    varied = 0
    for case in library[name, "int8"]:
        inputs = random_inputs(case.graph, INPUTS, rng)
        expected = oracle(case.model, inputs)
        np.testing.assert_array_equal(case.extract(inputs), expected)
        varied += len(np.unique(expected)) > 4
    assert varied > len(library[name, "int8"]) // 2, (
        "most models saturate: they would not show an error"
    )


@pytest.mark.parametrize("name", CASES)
def test_float_kernels_give_the_oracles_values(name: str, library: Library) -> None:
    rng = np.random.default_rng(0)
    for case in library[name, "float32"]:
        inputs = random_inputs(case.graph, INPUTS, rng)
        expected = oracle(case.model, inputs)
        error = np.abs(case.extract(inputs) - expected) / (1 + np.abs(expected))
        assert error.max() < 1e-5
