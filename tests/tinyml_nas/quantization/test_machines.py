"""A network is quantized to the same bytes on every machine: whatever its threads and instruction sets.

Other machines are emulated by what makes the libraries choose other kernels.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml_nas.network import files

HERE = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
MACHINES = {
    "SSE4 and two threads": {
        "OMP_NUM_THREADS": "2",
        "TF_NUM_INTRAOP_THREADS": "2",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL",
    },
    "AVX2 without oneDNN": {
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "ATEN_CPU_CAPABILITY": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    },
}

QUANTIZE = """
import sys
from pathlib import Path
from codegen.pixels import normalise, resize
from tinyml_nas.conversion.keras import convert
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.files import load
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.int8_mse import Int8MSE

folder = Path(sys.argv[1])
for source in sys.argv[2:]:
    network = load(Path(source))
    images = normalise(resize(Cifar10Sample().split("train").pixels[:40], network.resolution))
    out = folder / Path(source).name
    out.mkdir(parents=True)
    model = convert(network, images[:2], out)
    quantizers = {"int8": Int8(40)}
    if source == sys.argv[-1]:
        quantizers |= {"int8_cle": Int8CLE(20, clip_hard_swish=False), "int8_mse": Int8MSE(20)}
    for name, quantizer in quantizers.items():
        (out / name).mkdir()
        quantizer.quantize(model.artifact.path, images, out / name)
"""

FILES = ("extractor.tflite", "head.safetensors")


@pytest.fixture(scope="module")
def networks(small_spec, make_network, tmp_path_factory):
    """Two networks with random weights, saved: a library may draw others on another machine."""
    folders = []
    for resolution in (24, 32):
        folder = tmp_path_factory.mktemp("networks") / f"side{resolution}"
        files.save(make_network(replace(small_spec, resolution=resolution)), folder)
        folders.append(folder)
    return folders


def quantized(networks: list[Path], folder: Path, machine: dict[str, str]) -> dict[str, bytes]:
    subprocess.run(
        [sys.executable, "-c", QUANTIZE, folder, *networks],
        env=os.environ | machine,
        check=True,
        capture_output=True,
    )
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for name in FILES
        for path in folder.rglob(name)
    }
    assert len(found) == len(FILES) * (len(networks) + 2)
    return found


@pytest.fixture(scope="module")
def here(networks, tmp_path_factory):
    return quantized(networks, tmp_path_factory.mktemp("here"), HERE)


@pytest.mark.parametrize("machine", MACHINES)
def test_another_machine_gives_the_same_bytes(networks, here, tmp_path, machine):
    there = quantized(networks, tmp_path, MACHINES[machine])
    assert [name for name in here if here[name] != there[name]] == []
