"""Quantizers on networks that are none of the search's."""

from __future__ import annotations

import pytest

from tests.support.own_networks import drawn
from tinyml_nas.network import seen as beside
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.quantization.int8_cle import Int8CLE
from tinyml_nas.quantization.int8_mse import Int8MSE
from tinyml_nas.types import Seen

SEEN = Seen(3, (0.0,), (255.0,))
FAMILIES = {"MobileNetV2": 2, "ResNet18": 2, "PlainCNN": 3}


@pytest.fixture(scope="module")
def extractors(tmp_path_factory):
    """A float extractor of each family, with its head and how it sees images beside it."""
    from tinyml_nas.conversion.flatbuffer import converted, converter_of, taken_apart
    from tinyml_nas.conversion.keras import to_keras
    from tinyml_nas.quantization.tflite import write

    root = tmp_path_factory.mktemp("extractors")
    for family, width in FAMILIES.items():
        (root / family).mkdir()
        flat = converted(converter_of(to_keras(drawn(family, 5, width), (32, 32, 3))))
        write(*taken_apart(flat), root / family, seen=SEEN)
        beside.write(SEEN, root / family)
    return root


@pytest.fixture(scope="module")
def images(sample):
    return beside.inputs(sample.split("train")[:6], 32, SEEN, "float32")


@pytest.mark.parametrize(
    ("family", "quantizer"),
    [
        ("MobileNetV2", Int8(5)),
        ("ResNet18", Int8(5)),
        ("PlainCNN", Int8(5)),
        ("ResNet18", Int8MSE(5)),
        ("MobileNetV2", Int8CLE(5)),
    ],
    ids=str,
)
def test_int8_keeps_the_features_of_a_network_of_chance(
    extractors, images, tmp_path, family, quantizer
):
    made = quantizer.quantize(extractors / family / "extractor.tflite", images, tmp_path)
    assert list(made.signal_to_noise_db.values())[-1] > 12
    assert (made.seen.mean, made.seen.std) == (SEEN.mean, SEEN.std)
    assert made.seen.scale == pytest.approx(1 / 255)
    assert made.seen.zero_point == -128


def test_what_cannot_be_equalized_is_refused(extractors, images, tmp_path):
    with pytest.raises(QuantizationError):
        Int8CLE(5).quantize(extractors / "PlainCNN" / "extractor.tflite", images, tmp_path)
