"""The generated C++ against TensorFlow Lite Micro on all 10,000 test images of CIFAR-10.

    python -m benchmarks.conformance DATA                           # the shipped network
    python -m benchmarks.conformance DATA --model FILE.tflite       # any int8 extractor of images

``DATA`` is the folder of ``dataset=cifar10 data.root=DATA``. The reference takes most of the time:
its kernels are written to be read.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks import networks
from benchmarks.emulated import Codes, project_of
from codegen.emit.emitter import emit
from codegen.frontend.read import read
from codegen.pixels import resize, to_codes
from codegen.toolchain.host import HostModel
from tinyml_nas.conversion import oracle
from tinyml_nas.data.cifar10 import Cifar10


def generated(model: Path, images: Codes) -> Codes:
    """Features (N, F) of the generated C++, built for this computer."""
    with tempfile.TemporaryDirectory() as name:
        project = project_of(read(model), "cortex-m4", classes=10, buffer_samples=1)
        emit(project, Path(name, "project"))
        return HostModel(Path(name, "project")).features(images).astype(np.int8)


def main() -> None:
    """Compare and say what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(description="Compare generated C++ with the oracle.")
    parser.add_argument("data", type=Path, help="folder that holds CIFAR-10")
    parser.add_argument(
        "--model", type=Path, help="an int8 extractor; default: the shipped network"
    )
    parser.add_argument("--images", type=int, default=10_000)
    arguments = parser.parse_args()
    model = arguments.model or networks.tflite("shipped")
    pixels = Cifar10(arguments.data).split("test").pixels[: arguments.images]
    images = to_codes(resize(pixels, read(model).input.shape[1]))
    began = time.perf_counter()
    ours = generated(model, images)
    middle = time.perf_counter()
    chunks = np.array_split(images, max(1, len(images) // 250))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        expected = np.concatenate(list(pool.map(oracle.features, [model] * len(chunks), chunks)))
    end = time.perf_counter()
    differ = (ours != expected).any(axis=1)
    sys.stdout.write(
        f"{model.name}: {len(images):,} images, {ours.shape[1]} features each; "
        f"{int(differ.sum())} images differ\n"
        f"generated C++ {middle - began:.0f} s (build included), reference {end - middle:.0f} s\n"
    )
    sys.exit(int(differ.any()))


if __name__ == "__main__":
    main()
