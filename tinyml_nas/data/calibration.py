"""Which training images a quantizer calibrates on."""

from __future__ import annotations

import hashlib

import numpy as np

from tinyml_nas.types import Images


def calibration_images(images: Images, count: int) -> Images:
    """The ``count`` images whose pixels have the least SHA-256; all, if there are fewer.

    Pixels are hashed channel by channel, as CIFAR-10 stores them. The choice follows from the images and not
    from their order; as the embedded sample holds the first of each class by the same ranks, it is the same
    choice there (for up to about 3,000 images): a network is quantized to the same bytes with either.
    """
    ranks = [
        hashlib.sha256(picture.transpose(2, 0, 1).tobytes()).digest() for picture in images.pixels
    ]
    order = sorted(range(len(images)), key=lambda index: (ranks[index], index))
    return images[np.array(order[:count], np.int64)]
