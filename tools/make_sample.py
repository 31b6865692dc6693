"""Make the embedded sample from the official files. Run once; the result is committed.

    python tools/make_sample.py DATA_ROOT

Writes ``tinyml_nas/data/cifar10_sample/`` and prints the digests that ``sample.FILE_SHA256`` must
hold. The choice of images is fixed by ``splits``; the bytes of the sheets may change with
Pillow's libwebp, their pixels never do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen import durable
from tinyml_nas.data.cifar10_files import (
    FOLDER,
    TEST_FILES,
    TRAINING_FILES,
    images_of,
    read_records,
)
from tinyml_nas.data.sample import FOLDER as SAMPLE_FOLDER
from tinyml_nas.data.splits import (
    SAMPLE_SHA256,
    Indices,
    index_digest,
    sample_indices,
    training_splits,
)
from tinyml_nas.data.sprites import encode_sheet
from tinyml_nas.types import SplitName


def make_sample(root: Path, destination: Path) -> dict[str, str]:
    """Write the sample's sheets and index; return the SHA-256 of each file by name."""
    training = read_records(root / FOLDER, TRAINING_FILES)
    test = read_records(root / FOLDER, TEST_FILES)
    splits = training_splits(training)
    parts: list[tuple[SplitName, npt.NDArray[np.uint8], Indices]] = [
        ("train", training, splits["train"]),
        ("validation", training, splits["validation"]),
        ("test", test, np.arange(len(test))),
    ]
    files: dict[str, bytes] = {}
    index: dict[str, dict[str, list[int]]] = {}
    for name, records, members in parts:
        chosen = sample_indices(name, records, members)
        if index_digest(chosen) != SAMPLE_SHA256[name]:
            raise RuntimeError(f"the {name} part of the sample is not the one fixed in splits.py")
        images = images_of(records[chosen])
        files[f"{name}.webp"] = encode_sheet(images.pixels)
        index[name] = {"indices": chosen.tolist(), "labels": images.labels.tolist()}
    files["index.json"] = json.dumps(index, separators=(",", ":")).encode()
    for file_name, content in files.items():
        durable.write(destination / file_name, content)
    return {file_name: hashlib.sha256(content).hexdigest() for file_name, content in files.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("root", type=Path, help="folder that holds cifar-10-batches-bin")
    for file_name, sha256 in make_sample(parser.parse_args().root, SAMPLE_FOLDER).items():
        print(f'"{file_name}": "{sha256}",')
