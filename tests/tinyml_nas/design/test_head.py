"""The head that a program starts with where the field has other classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors

from codegen.project import HeadWeights
from tinyml_nas.design.head import rearranged, with_rows
from tinyml_nas.design.split import EXTRACTOR_FILE, HEAD_FILE, SplitError


def head_of(seed: int) -> HeadWeights:
    rng = np.random.default_rng(seed)
    return HeadWeights(
        rng.normal(size=(4, 7)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    )


@given(rows=st.lists(st.integers(0, 3), max_size=6), seed=st.integers(0, 99))
def test_classes_have_the_rows_that_are_asked_for(rows, seed) -> None:
    """Also none."""
    head = head_of(seed)
    changed = rearranged(head, rows)
    assert changed.weights.shape == (len(rows), 7)
    for number, row in enumerate(rows):
        assert (changed.weights[number] == head.weights[row]).all()
        assert changed.bias[number] == head.bias[row]


@pytest.mark.parametrize("rows", [(), (1, 0)])
def test_the_extractor_stays_as_it_is(rows, tmp_path) -> None:
    folder, changed = tmp_path / "given", tmp_path / "changed"
    folder.mkdir()
    head = head_of(3)
    (folder / EXTRACTOR_FILE).write_bytes(b"any bytes")
    content = {"weights": head.weights, "bias": head.bias}
    (folder / HEAD_FILE).write_bytes(to_safetensors(content))
    with_rows(folder, rows, changed)
    assert (changed / EXTRACTOR_FILE).read_bytes() == b"any bytes"
    found = load_file(changed / HEAD_FILE)
    expected = rearranged(head, rows)
    assert (found["weights"] == expected.weights).all()
    assert (found["bias"] == expected.bias).all()
    with pytest.raises(SplitError, match=r"head\.safetensors: cannot be read"):
        with_rows(tmp_path / "nowhere", (1,), changed)
