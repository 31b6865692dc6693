"""What each quantizer leaves of a trained network's accuracy, as the generated C++ computes it.

    python -m benchmarks.quantizers DATA omega_256kb omega_801kb [--calibration-images 100]

Scores on CIFAR-10's 5,000 validation images; never on test images. Calibration and training use the embedded
sample's 4,000 training images. Each quantizer has the defaults of its option file but for the calibration images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from safetensors.numpy import load_file

from codegen.boards.board import load as load_board
from codegen.emit.emitter import emit
from codegen.frontend.read import read
from codegen.learners.tybox import Tybox
from codegen.pixels import resize, to_codes
from codegen.project import Golden, HeadWeights, Project
from codegen.toolchain.host import HostModel
from tinyml_nas.conversion import oracle
from tinyml_nas.conversion.keras import convert
from tinyml_nas.data.calibration import calibration_images
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.interval import wilson
from tinyml_nas.network.files import load
from tinyml_nas.network.shipped import NETWORKS
from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.quantization.base import Quantizer, Training
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.int8_mse import Int8MSE
from tinyml_nas.quantization.int8_qat import Int8QAT
from tinyml_nas.training.loop import accuracy
from tinyml_nas.types import Extractor, Images

CHECKED_IMAGES = 50


def quantizers(images: int) -> dict[str, Quantizer]:
    """What is compared; each calibrates on ``images``."""
    return {
        "int8, minimum and maximum": Int8(images, clip_hard_swish=False),
        "int8": Int8(images),
        "int8_cle": Int8CLE(images),
        "int8_mse": Int8MSE(images),
        "int8_qat": Int8QAT(images),
    }


def rows(name: str, validation: Images, images: int) -> Iterator[tuple[str, float, str, str]]:
    """For float and each quantizer: accuracy, what is left of features and of the worst layer, seconds."""
    network, train = load(NETWORKS.folder(name)), Cifar10Sample().split("train")
    yield "float", accuracy(network, validation), "", ""
    calibration = network_inputs(calibration_images(train, images), network.resolution)
    with tempfile.TemporaryDirectory() as folder:
        model = convert(network, calibration[:CHECKED_IMAGES], Path(folder)).artifact.path
        for label, quantizer in quantizers(images).items():
            out, work = (Path(folder, label, part) for part in ("out", "work"))
            out.mkdir(parents=True)
            work.mkdir()
            began = time.process_time()
            made = quantizer.quantize(model, calibration, out, Training(train, work))
            seconds = time.process_time() - began
            noise = made.signal_to_noise_db
            worst = min(noise, key=noise.__getitem__)
            left = f"{list(noise.values())[-1]:.1f} dB; {noise[worst]:.1f} dB in {worst}"
            right = deployed(made, validation, Path(folder, label, "project"))
            yield label, right, left, f"{seconds:.0f} s"


def deployed(extractor: Extractor, images: Images, folder: Path) -> float:
    """Accuracy of the generated C++, built for this computer; the first images are the reference's to the byte."""
    tflite = extractor.artifact.path / "extractor.tflite"
    head = load_file(extractor.artifact.path / "head.safetensors")
    graph = read(tflite)
    codes = to_codes(resize(images.pixels, graph.input.shape[1]))
    reference = oracle.features(tflite, codes[:CHECKED_IMAGES])
    project = Project(
        name="quantized",
        graph=graph,
        head=HeadWeights(head["weights"], head["bias"]),
        learner=Tybox(0.01),
        buffer_samples=1,
        board=load_board("nucleo_1mb"),
        golden=Golden(codes[:1], reference[:1]),
    )
    emit(project, folder)
    model = HostModel(folder)
    features = model.features(codes)
    oracle.check(features[:CHECKED_IMAGES], reference)
    return float((model.predict(features) == images.labels).mean())


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description="Compare the quantizers on validation images.")
    parser.add_argument("data", type=Path, help="folder that holds CIFAR-10")
    parser.add_argument("networks", nargs="+", choices=NETWORKS.names)
    parser.add_argument("--calibration-images", type=int, default=500)
    arguments = parser.parse_args()
    validation = Cifar10(arguments.data).split("validation")
    for name in arguments.networks:
        sys.stdout.write(f"{name}\n")
        for label, right, left, took in rows(name, validation, arguments.calibration_images):
            low, high = wilson(right, len(validation))
            interval = f"{100 * low:.1f}-{100 * high:.1f}"
            sys.stdout.write(f"| {label} | {100 * right:.2f} % ({interval}) | {left} | {took} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
