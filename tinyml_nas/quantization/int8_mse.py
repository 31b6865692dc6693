"""Int8 with ranges of least squared error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.calibration import Calibrated
from tinyml_nas.types import Extractor


@dataclass(frozen=True)
class Int8MSE(Calibrated):
    """Each activation is rounded with the least squared error (see ``least_squares``)."""

    def quantize(
        self,
        keras_model: Path,
        calibration: npt.NDArray[np.float32],
        folder: Path,
        training: Training | None = None,
    ) -> Extractor:
        """Write ``extractor.tflite`` (int8 in and out) and ``head.safetensors``.

        Raises:
            ValueError: the calibration images are too few, not finite or not of the network's size.
        """
        from tinyml_nas.quantization import tflite
        from tinyml_nas.quantization.least_squares import least_squares

        network = tflite.Network.load(keras_model, calibration, self.calibration_images)
        ranges = least_squares(network.prepared.graph, network.images)
        return network.deliver(network.prepared.quantized(ranges), folder)
