"""Stages from the trained torch network to Ω: convert, quantize, design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codegen.pixels import normalise, resize
from tinyml_nas.pipeline.context import Context
from tinyml_nas.store.entries import Json, describe
from tinyml_nas.types import Artifact, Extractor, Images, KerasModel, Omega, TorchModel

CHECKED_IMAGES = 1000
"""Validation images on which every conversion is compared with the torch network."""


def convert(context: Context, model: TorchModel) -> KerasModel:
    """The same network in Keras; a difference stops the run."""

    def build(folder: Path, work: Path) -> dict[str, Json]:
        from tinyml_nas.conversion.keras import convert as to_keras
        from tinyml_nas.network.files import load

        network = load(model.artifact.path)
        images = _inputs(context.images("validation")[:CHECKED_IMAGES], network.resolution)
        converted = to_keras(network, images, folder)
        return {"max_abs_error": converted.max_abs_error, "images": converted.images}

    inputs = {**context.data, "network": model.artifact.digest}
    entry = context.run("convert", build, None, inputs)
    value: Any = entry.value
    return KerasModel(Artifact(entry.path, entry.digest), **value)


def quantize(context: Context, model: KerasModel, resolution: int) -> Extractor:
    """Φ_f as a flatbuffer, and the float head Φ_c. ``resolution`` is the input side in pixels."""
    quantizer = context.study.quantizer

    def build(folder: Path, work: Path) -> dict[str, Json]:
        calibration = _inputs(context.images("train")[: quantizer.calibration_images], resolution)
        made = quantizer.quantize(model.artifact.path / "model.keras", calibration, folder)
        return {
            "features": made.features,
            "dtype": made.dtype,
            "scale": made.scale,
            "zero_point": made.zero_point,
        }

    inputs = {**context.data, "keras": model.artifact.digest}
    entry = context.run("quantize", build, describe(quantizer), inputs)
    value: Any = entry.value
    return Extractor(Artifact(entry.path, entry.digest), **value)


def design(context: Context, extractor: Extractor, memory: Any) -> Omega:
    """Ω under a memory model; takes a moment, so it is not kept."""
    from tinyml_nas.design.omega import design as size_buffer

    return size_buffer(extractor, context.study.device, memory)


def _inputs(images: Images, resolution: int) -> npt.NDArray[np.float32]:
    return normalise(resize(images.pixels, resolution))
