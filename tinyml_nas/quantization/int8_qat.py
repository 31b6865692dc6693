"""Int8 after training for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.quantization.base import Training
from tinyml_nas.quantization.calibration import Calibrated
from tinyml_nas.training.base import Recipe
from tinyml_nas.types import DataCounts, Extractor


@dataclass(frozen=True)
class Int8QAT(Calibrated):
    """Quantization-aware training (Jacob et al. 2018): weights learn while all is rounded as int8 rounds it.

    Ranges are ``Int8``'s, chosen before, and stay. The loss is of the labels and of the answers that the
    network gives unrounded. What is trained, unlike all that the other quantizers do, depends on the machine
    and its threads to the last bits.

    Args:
        epochs: Passes over the training images.
        batch_size: Images of a step.
        learning_rate: At its peak; it falls along a cosine.
        teacher_share: Weight in the loss of the unrounded network's answers, in [0, 1]; the rest is labels'.
        seed: Of batches and augmentation.
    """

    epochs: float = 2.0
    batch_size: int = 64
    learning_rate: float = 0.002
    teacher_share: float = 0.7
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(
                f"quantizer.teacher_share: must be in [0, 1]; got {self.teacher_share}"
            )
        if self.epochs <= 0:
            raise ValueError(
                f"quantizer.epochs: must be above 0, or nothing is trained and quantizer=int8 is what is "
                f"meant; got {self.epochs}"
            )
        if self.seed < 0:
            raise ValueError(f"quantizer.seed: must not be negative; got {self.seed}")
        self._recipe()

    def check(self, data: DataCounts) -> None:
        """Refuse a batch or a calibration of more images than there are; reads no data.

        Raises:
            ValueError: naming the config key.
        """
        super().check(data)
        self._recipe().check(data)

    def quantize(
        self,
        keras_model: Path,
        calibration: npt.NDArray[np.float32],
        folder: Path,
        training: Training | None = None,
    ) -> Extractor:
        """Write ``extractor.tflite`` (int8 in and out) and ``head.safetensors``, both trained.

        Raises:
            ValueError: no training images; or the calibration images are too few, not finite or not of
                the network's size.
            QuantizationError: a layer that cannot be trained.
            RuntimeError: the loss is no longer finite.
        """
        from tinyml_nas.quantization import tflite
        from tinyml_nas.quantization.ranges import calibrated
        from tinyml_nas.quantization.rounded_training import trained

        if training is None or not len(training.images):
            raise ValueError(
                "quantizer=int8_qat: needs labelled training images; quantizer=int8 and "
                "quantizer=int8_mse need none"
            )
        network = tflite.Network.load(keras_model, calibration, self.calibration_images)
        ranges = calibrated(network.prepared.graph, network.images, clip_hard_swish=True)
        prepared, head = trained(
            network, ranges, training, self._recipe(), self.teacher_share, self.seed
        )
        return network.deliver(prepared.quantized(ranges), folder, prepared, head)

    def _recipe(self) -> Recipe:
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=0.0,  # the weights are trained already; their ranges should stay
            label_smoothing=0.0,
            warmup_epochs=min(0.1, self.epochs),
            clip_norm=1.0,
            precision="float32",
        )
