"""The images that a quantizer calibrates on, refused where nothing can be learnt from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_nas.network.seen import normalisation
from tinyml_nas.types import STANDARD, DataCounts, Seen

Images = npt.NDArray[np.float32]

USUAL = 500
KEY = "quantizer.calibration_images"


@dataclass(frozen=True)
class Calibrated:
    """A quantizer that looks at training images.

    Args:
        calibration_images: Number of training images that are looked at, 1 or more. The default of
            ``USUAL`` is all of them where there are fewer.
    """

    calibration_images: int = USUAL

    def __post_init__(self) -> None:
        if self.calibration_images < 1:
            raise ValueError(f"{KEY}: must be 1 or more; got {self.calibration_images}")

    def check(self, data: DataCounts) -> None:
        """Refuse to calibrate on more images than there are, but for the usual number; reads no data.

        Raises:
            ValueError: naming the config key.
        """
        if self.calibration_images > max(USUAL, data.count("train")):
            raise ValueError(
                f"{KEY}: must be at most {data.count('train')}, the training images that there are; "
                f"got {self.calibration_images}"
            )


def chosen(
    calibration: Images, count: int, shape: tuple[int, ...], seen: Seen = STANDARD
) -> Images:
    """The first ``count`` of normalised images for a network's input ``shape`` (S, S, 3), with extremes.

    Raises:
        ValueError: there are fewer, or they are no finite images of that shape.
    """
    if calibration.shape[1:] != shape:
        raise ValueError(
            f"calibration: must be normalised images of shape (N, {', '.join(map(str, shape))}), as the "
            f"network takes them; got {calibration.shape}"
        )
    if len(calibration) < count:
        raise ValueError(
            f"{KEY}: must be at most the {len(calibration)} images that are given; got {count}"
        )
    images = calibration[:count]
    broken = np.flatnonzero(~np.isfinite(images).all(axis=(1, 2, 3)))
    if len(broken):
        raise ValueError(
            f"calibration: image {broken[0]} is not finite, and {len(broken)} of {count} are not; "
            "every value must be a normalised pixel"
        )
    return with_extremes(images, seen)


def with_extremes(images: Images, seen: Seen = STANDARD) -> Images:
    """A copy in which the first image's corner holds a black and a white pixel.

    They pin the input's range to that of all images. Two pixels of a real image barely move the
    ranges further in; a whole black or white image would widen them.
    """
    images = images.copy()
    extremes = np.repeat(np.array([[0], [255]], np.uint8), seen.channels, 1)
    images[0, 0, :2] = normalisation(seen).reals(extremes)
    return images
