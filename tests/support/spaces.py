"""Search spaces small enough to train in a test."""

from __future__ import annotations

from tinyml_nas.supernet.space import MobileNetV3Space

TINY_SPACE = MobileNetV3Space(
    resolutions=(16, 24),
    depths=(1, 2),
    kernels=(3, 5),
    expansions=(2, 3),
    stem_channels=8,
    stem_stride=2,
    widths=(8, 16, 24),
    strides=(1, 2, 2),
    hard_swish=(False, False, True),
    squeeze_excite=(False, True, True),
    final_channels=48,
    features=32,
)
