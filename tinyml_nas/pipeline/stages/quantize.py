"""Quantize a Keras network: Φ_f as a flatbuffer, and the float head Φ_c."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyml_nas.data.calibration import calibration_images
from tinyml_nas.network.seen import read
from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.quantization.base import Quantizer, Training
from tinyml_nas.quantization.calibration import Calibrated
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact


def quantize(
    folder: Path,
    work: Path,
    *,
    keras: Artifact,
    quantizer: Quantizer,
    resolution: int,
    train: Split,
) -> dict[str, Json]:
    """Both files, what the extractor's features are, and what is left of each layer.

    ``keras`` is a network as ``convert`` left it, or a float extractor as ``extract`` did; ``resolution`` is the input
    side in pixels.
    """
    images = train.load()
    if isinstance(quantizer, Calibrated) and quantizer.calibration_images > len(images):
        quantizer = replace(quantizer, calibration_images=len(images))
    chosen = calibration_images(images, quantizer.calibration_images)
    calibration = network_inputs(chosen, resolution, read(keras.path))
    names = ("model.keras", "extractor.tflite")
    (model,) = (path for path in map(keras.path.joinpath, names) if path.is_file())
    made = quantizer.quantize(model, calibration, folder, Training(images, work))
    return made.value()
