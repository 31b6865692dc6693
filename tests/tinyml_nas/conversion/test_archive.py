from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tinyml_nas.conversion.keras import convert
from tinyml_nas.network.files import save
from tinyml_nas.store.digest import digest_of


def test_equal_networks_give_equal_bytes(small_network, normalised, tmp_path):
    images = normalised("test", 10, 28)
    (tmp_path / "again").mkdir()
    first = convert(small_network, images, tmp_path)
    again = convert(small_network, images, tmp_path / "again")
    assert first.artifact.digest == again.artifact.digest


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tinyml_nas.conversion.keras import convert
from tinyml_nas.network.files import load

images = np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 3)).astype(np.float32)
garbage = [object() for _ in range(int(sys.argv[3]))]  # other addresses
for number, folder in enumerate(sorted(Path(sys.argv[1]).iterdir())):
    into = Path(sys.argv[2]) / str(number)
    into.mkdir(parents=True)
    convert(load(folder), images, into)
"""


@pytest.mark.slow
def test_equal_networks_give_equal_bytes_in_every_process(small_spec, make_network, tmp_path):
    specs = [small_spec]
    rng = np.random.default_rng(5)
    for _ in range(3):  # drawn chains of the same blocks
        count = int(rng.integers(1, len(small_spec.blocks)))
        specs.append(
            replace(
                small_spec,
                classes=int(rng.integers(2, 12)),
                blocks=small_spec.blocks[:count],
                features=4 * int(rng.integers(1, 12)),
            )
        )
    for number, spec in enumerate(specs):
        save(make_network(spec), tmp_path / "networks" / str(number))
    found = []
    for process in range(2):
        out = tmp_path / str(process)
        command = [
            sys.executable,
            "-c",
            SCRIPT,
            tmp_path / "networks",
            out,
            str(1 + 7919 * process),
        ]
        subprocess.run(command, check=True, capture_output=True)
        found.append([digest_of(out / str(number)) for number in range(len(specs))])
    assert found[0] == found[1]
    assert len(set(found[0])) == len(specs)
