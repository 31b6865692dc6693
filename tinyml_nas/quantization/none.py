"""No quantization: Φ_f stays float32, as in Ω_Baseline of the thesis (section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.quantization.base import Training
from tinyml_nas.types import DataCounts, Extractor


@dataclass(frozen=True)
class NoQuantization:
    """Writes the float32 flatbuffer of Φ_f; real features, so scale 1 and zero point 0."""

    @property
    def calibration_images(self) -> int:
        """None are needed."""
        return 0

    def check(self, data: DataCounts) -> None:
        """Any data set will do."""

    def quantize(
        self,
        keras_model: Path,
        calibration: npt.NDArray[np.float32],
        folder: Path,
        training: Training | None = None,
    ) -> Extractor:
        """Write ``extractor.tflite`` (float32 in and out) and ``head.safetensors``."""
        from tinyml_nas.quantization import tflite

        return tflite.write_float(keras_model, folder)
