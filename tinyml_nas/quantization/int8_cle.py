"""Int8 after cross-layer equalization, with corrected biases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.calibration import Calibrated
from tinyml_nas.types import Extractor


@dataclass(frozen=True)
class Int8CLE(Calibrated):
    """Nagel et al. 2019: channels are equalized across layers, then biases take back what rounding adds.

    Where layers cannot be equalized (see ``equalization``) their biases are corrected all the same.

    Args:
        clip_hard_swish: As ``Int8``'s.
        correct_biases: Whether to correct the biases (see ``bias_correction``).
    """

    clip_hard_swish: bool = True
    correct_biases: bool = True

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
            QuantizationError: there is no layer that can be equalized; says why.
        """
        from tinyml_nas.quantization import tflite
        from tinyml_nas.quantization.bias_correction import corrected
        from tinyml_nas.quantization.equalization import equalized
        from tinyml_nas.quantization.ranges import calibrated

        network = tflite.Network.load(keras_model, calibration, self.calibration_images)
        prepared = equalized(network.prepared, network.images)
        ranges = calibrated(prepared.graph, network.images, self.clip_hard_swish)
        flatbuffer = prepared.quantized(ranges)
        if self.correct_biases:
            flatbuffer = corrected(prepared, flatbuffer, network.images).quantized(ranges)
        return network.deliver(flatbuffer, folder, prepared)
