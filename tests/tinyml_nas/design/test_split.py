"""The two halves of the network are read back and must agree with each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from codegen.ir import Quantization
from tinyml_nas.design import split as split_module
from tinyml_nas.design.split import SplitError, split
from tinyml_nas.types import Artifact, Extractor

HEAD = {
    "weights": np.arange(30, dtype=np.float32).reshape(3, 10),
    "bias": np.arange(3, dtype=np.float32),
}


@pytest.fixture
def extractor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_graph) -> Extractor:
    """Ten int8 features for three classes; the flatbuffer is the hand-drawn graph."""
    graph = make_graph(features=10)
    monkeypatch.setattr(split_module, "read", lambda path: graph)
    save_file(HEAD, tmp_path / "head.safetensors")
    return Extractor(Artifact(tmp_path, "digest"), 10, "int8", 0.5, -3)


def test_both_halves_are_read(extractor: Extractor) -> None:
    graph, head = split(extractor)
    assert graph.output.elements == head.features == 10
    assert np.array_equal(head.weights, HEAD["weights"])
    assert np.array_equal(head.bias, HEAD["bias"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": 11}, "must put out 11 features"),
        ({"dtype": "float32"}, "input and output must be float32"),
        ({"scale": 0.25}, "features must have scale 0.25 and zero point -3"),
        ({"zero_point": 0}, "features must have scale 0.5 and zero point 0"),
    ],
)
def test_a_flatbuffer_that_is_not_as_described_is_named(
    extractor: Extractor, change: dict[str, object], message: str
) -> None:
    with pytest.raises(SplitError, match=rf"extractor\.tflite: .*{message}"):
        split(replace(extractor, **change))


def test_scales_are_compared_as_the_file_holds_them(
    extractor: Extractor, monkeypatch: pytest.MonkeyPatch, make_graph
) -> None:
    graph = make_graph(features=10)
    psi = replace(graph.output, quantization=Quantization((float(np.float32(0.1)),), (-3,)))
    graph = replace(graph, tensors=(*graph.tensors[:-1], psi))
    monkeypatch.setattr(split_module, "read", lambda path: graph)
    split(replace(extractor, scale=0.1))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weights": HEAD["weights"]}, "must hold bias and weights; it holds"),
        ({**HEAD, "extra": HEAD["bias"]}, "must hold bias and weights; it holds"),
        ({**HEAD, "bias": np.zeros(4, np.float32)}, "weights must be"),
        ({**HEAD, "bias": np.zeros(3, np.float64)}, "must be float32"),
        ({**HEAD, "weights": np.zeros((3, 9), np.float32)}, "takes 9 features, .* gives 10"),
    ],
)
def test_a_head_that_does_not_fit_is_named(
    extractor: Extractor, tensors: dict[str, np.ndarray], message: str
) -> None:
    save_file(tensors, extractor.artifact.path / "head.safetensors")
    with pytest.raises(SplitError, match=rf"head\.safetensors: .*{message}"):
        split(extractor)


@pytest.mark.parametrize("damage", ["truncate", "remove"])
def test_a_damaged_head_is_named(extractor: Extractor, damage: str) -> None:
    path = extractor.artifact.path / "head.safetensors"
    content = path.read_bytes()
    path.unlink()
    if damage == "truncate":
        path.write_bytes(content[:-1])
    with pytest.raises(SplitError, match=r"head\.safetensors: cannot be read"):
        split(extractor)
