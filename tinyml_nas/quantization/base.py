"""What a quantizer is: it turns the converted network into the extractor and head of Ω."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinyml_nas.types import DataCounts, Extractor, Images


@dataclass(frozen=True, eq=False)
class Training:
    """What a quantizer that trains is given: labelled training images, and a folder for its state."""

    images: Images
    work: Path


class Quantizer(Protocol):
    """Group ``quantizer``: Φ to Φ̂_f (``extractor.tflite``) and Φ_c (``head.safetensors``)."""

    @property
    def calibration_images(self) -> int:
        """How many training images ``quantize`` wants; 0 where it calibrates nothing."""
        ...

    def check(self, data: DataCounts) -> None:
        """Refuse a data set that it cannot work with, naming the key; reads no data."""
        ...

    def quantize(
        self,
        keras_model: Path,
        calibration: npt.NDArray[np.float32],
        folder: Path,
        training: Training | None = None,
    ) -> Extractor:
        """Split the network at its Flatten and write both halves into ``folder``.

        Args:
            keras_model: The ``model.keras`` that ``tinyml_nas.conversion.keras`` wrote.
            calibration: Normalised training images, float32 (``calibration_images``, S, S, 3).
            folder: Existing folder; ``head.safetensors`` will hold float32 ``weights``
                (classes, features) and ``bias`` (classes,).
            training: For those that train; others leave it alone.
        """
        ...
