"""Networks as Keras's guides make and export them: taken as they are, with the bytes of the oracle.

The files are what ``python -m tools.guides.export tests/codegen/guides NETWORK --export WAY`` wrote of
``tools/guides/networks.py``: Keras 3's, of an open batch. Larger ones are for ``benchmarks/accepted.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accepted import taken
from codegen import golden, oracle
from codegen.frontend.cut import split
from codegen.frontend.read import open_model, parse
from codegen.ir import Graph
from codegen.passes.simplify import simplify
from tests.support.extractors import compile_extractors, reference
from tools.guides.networks import CLASSIFIER, NETWORKS, REGRESSION

FOLDER = Path(__file__).parent / "guides"
FILES = sorted(path.stem for path in FOLDER.glob("*.tflite"))
INPUTS = 20
OPEN_INSIDE = ("dilated", "mixer", "temporal")
"""TFLM takes their open batch for one inside, and is not asked."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> dict[str, tuple[Graph, int, Callable]]:
    """Every file's graph, the tensor that it computes, and its generated code."""
    parts = {name: taken(FOLDER / f"{name}.tflite")[1:] for name in FILES}
    graphs = [simplify(graph) for graph, _ in parts.values()]
    functions = compile_extractors(graphs, tmp_path_factory.mktemp("guides"))
    return {
        name: (*part, function)
        for (name, part), function in zip(parts.items(), functions, strict=True)
    }


@pytest.mark.parametrize("name", FILES)
def test_as_exported_they_give_the_oracles_bytes(name: str, compiled) -> None:
    graph, source, extract = compiled[name]
    images = golden.generated_images(graph.input, INPUTS)
    found = extract(images).reshape(INPUTS, -1)
    content = (FOLDER / f"{name}.tflite").read_bytes()
    if name.split(".", maxsplit=1)[0] in OPEN_INSIDE:
        with pytest.raises(oracle.OracleError, match=r"does not run the file: (its|an open)"):
            oracle.features(content, source, images, graph.input)
        source_of_file = parse(content).input
        dtype, shape = np.dtype(source_of_file.dtype), source_of_file.shape[1:]
        inputs = np.stack(
            [oracle.as_given(image, graph.input, dtype).reshape(shape) for image in images]
        )
        expected = reference(oracle.ending_at(content, source), inputs).reshape(INPUTS, -1)
        # LiteRT's FULLY_CONNECTED rounds in floating point.
        near = np.abs(found.astype(int) - expected) <= ("mixer" in name)
        assert near.all()
    else:
        expected = oracle.features(content, source, images, graph.input)
        assert oracle.compare(found, expected) == ""
    assert len(np.unique(expected)) > 4


@pytest.mark.parametrize("name", FILES)
def test_what_they_end_with_is_seen(name: str) -> None:
    """Softmax and sigmoid are dropped; that logits may be no classes is said."""
    network = NETWORKS[name.split(".", maxsplit=1)[0]]
    model = open_model(FOLDER / f"{name}.tflite")
    if network.kind == REGRESSION:
        with pytest.raises(ValueError, match="--inference-only"):
            split(model)
        return
    parts = split(model)
    assert bool(parts.note) == (network.kind != CLASSIFIER)
    assert parts.head.features == parts.extractor.output.elements
