"""A folder of data sets that are there as far as a configuration can tell."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session", autouse=True)
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for part in ("train", "val"):
        (root / "imagenette2-96" / part).mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (12_600, 16, 16), np.uint8)
    labels = np.arange(len(pixels)) % 10
    np.savez(root / "data.npz", images=pixels, labels=labels)
    for number, (picture, label) in enumerate(zip(pixels[:200], labels[:200], strict=True)):
        folder = root / f"class {label}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYML_NAS_DATA", str(root))
        yield root
