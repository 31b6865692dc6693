"""A folder of data sets that are there as far as a configuration can tell."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for part in ("train", "val"):
        (root / "imagenette2-96" / part).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYML_NAS_DATA", str(root))
        yield root
