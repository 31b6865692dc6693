"""Full-integer post-training quantization of the extractor (thesis, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.calibration import Calibrated
from tinyml_nas.types import Extractor


@dataclass(frozen=True)
class Int8(Calibrated):
    """TensorFlow Lite's scheme (Jacob et al. 2018): int8 activations, per-channel int8 weights.

    Ranges are the minimum and maximum seen on real training images; where ``clip_hard_swish`` is
    set, inputs of hard-swishes are clipped first (see ``ranges``). The head stays float32: it learns
    on the device.

    Args:
        clip_hard_swish: Whether to choose the ranges of hard-swishes by what they do to the
            features; without, they are the minimum and maximum as everywhere.
    """

    clip_hard_swish: bool = True

    def quantize(
        self,
        keras_model: Path,
        calibration: npt.NDArray[np.float32],
        folder: Path,
        training: Training | None = None,
    ) -> Extractor:
        """Write ``extractor.tflite`` (int8 in and out) and ``head.safetensors``.

        Raises:
            ValueError: fewer calibration images than ``calibration_images``, or none that are finite
                and of the network's size.
            QuantizationError: the input did not get the scale 1/128 and the zero point 0
                that make its int8 code ``pixel - 128``.
        """
        from tinyml_nas.quantization import tflite
        from tinyml_nas.quantization.ranges import calibrated

        network = tflite.Network.load(keras_model, calibration, self.calibration_images)
        prepared = network.prepared
        ranges = calibrated(prepared.graph, network.images, self.clip_hard_swish)
        return network.deliver(prepared.quantized(ranges), folder)
