from __future__ import annotations

import subprocess
import sys

import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load

from tinyml_nas.network.tensors import to_bytes

SHAPES = st.lists(st.integers(0, 3), max_size=3)
SCRIPT = """
import hashlib, torch
from tinyml_nas.network.tensors import to_bytes
tensors = {"b": torch.ones(3), "a": torch.zeros(2, 2).half(), "c": torch.arange(5)}
metadata = {name: name * 3 for name in "qwertyuiop"}
print(hashlib.sha256(to_bytes(tensors, metadata)).hexdigest())
"""


@given(st.dictionaries(st.text(), SHAPES), st.dictionaries(st.text(), st.text(), min_size=1))
def test_what_is_written_is_read_back(tmp_path_factory, shapes, metadata):
    tensors = {
        name: torch.arange(torch.Size(shape).numel()).reshape(shape).float()
        for name, shape in shapes.items()
        if name != "__metadata__"
    }
    content = to_bytes(tensors, metadata)
    found = load(content)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) for name, value in tensors.items())
    path = tmp_path_factory.mktemp("tensors") / "file"
    path.write_bytes(content)
    with safe_open(path, "pt") as file:
        assert file.metadata() == metadata


def test_equal_tensors_give_equal_bytes_in_every_process():
    command = [sys.executable, "-c", SCRIPT]
    found = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(4)}
    assert len(found) == 1
