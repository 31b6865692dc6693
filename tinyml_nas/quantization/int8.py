"""Full-integer post-training quantization of the extractor (thesis, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.types import DataCounts, Extractor


@dataclass(frozen=True)
class Int8:
    """TensorFlow Lite's scheme (Jacob et al. 2018): int8 activations, per-channel int8 weights.

    Ranges are the minimum and maximum seen on real training images; where ``clip_hard_swish`` is
    set, inputs of hard-swishes are clipped first (see ``ranges``). The head stays float32: it learns
    on the device.

    Args:
        calibration_images: Number of training images that the ranges are taken from, 1 or more.
        clip_hard_swish: Whether to choose the ranges of hard-swishes by what they do to the
            features; without, they are the minimum and maximum as everywhere.
    """

    calibration_images: int = 500
    clip_hard_swish: bool = True

    def __post_init__(self) -> None:
        if self.calibration_images < 1:
            raise ValueError(
                f"quantizer.calibration_images: must be 1 or more; got {self.calibration_images}"
            )

    def check(self, data: DataCounts) -> None:
        """Refuse to calibrate on more images than there are; reads no data.

        Raises:
            ValueError: naming the config key.
        """
        if self.calibration_images > data.count("train"):
            raise ValueError(
                f"quantizer.calibration_images: must be at most {data.count('train')}, the "
                f"training images that there are; got {self.calibration_images}"
            )

    def quantize(
        self, keras_model: Path, calibration: npt.NDArray[np.float32], folder: Path
    ) -> Extractor:
        """Write ``extractor.tflite`` (int8 in and out) and ``head.safetensors``.

        Raises:
            ValueError: fewer calibration images than ``calibration_images``.
            tflite.QuantizationError: the input did not get the scale 1/128 and the zero point 0
                that make its int8 code ``pixel - 128``.
        """
        from tinyml_nas.quantization import tflite

        if len(calibration) < self.calibration_images:
            raise ValueError(
                f"quantizer.calibration_images: must be at most the {len(calibration)} images "
                f"that are given; got {self.calibration_images}"
            )
        images = tflite.with_extremes(calibration[: self.calibration_images])
        extractor, head = tflite.split(keras_model)
        flatbuffer = tflite.convert_int8(extractor, images, self.clip_hard_swish)
        return tflite.write(flatbuffer, head, folder)
