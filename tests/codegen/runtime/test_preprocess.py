"""Camera bytes to the network's input in C++: the bytes of the training's own preprocessing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import pixels
from codegen.emit.emitter import emit
from codegen.ir import Graph, Op
from codegen.project import Golden, Project
from codegen.toolchain.host import HostModel
from tests.codegen.conftest import identity_project

HEIGHT, WIDTH = 12, 20  # a network may want something else than a square


def flatten_project(height: int, width: int, channels: int, dtype: str = "int8") -> Project:
    """An extractor that only flattens an image of the given shape."""
    project = identity_project(features=height * width * channels, classes=2, dtype=dtype)
    image, flat = project.graph.tensors
    graph = Graph(
        (replace(image, shape=(1, height, width, channels)), flat),
        (Op("RESHAPE", (0,), (1,)),),
        (0,),
        (1,),
    )
    golden = Golden(
        np.zeros((0, height, width, channels), dtype), np.zeros((0, flat.elements), dtype)
    )
    return replace(project, graph=graph, golden=golden)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, HostModel]:
    """The shapes of input that the tests need."""
    shapes = {
        "square": (16, 16, 3),
        "wide": (HEIGHT, WIDTH, 3),
        "gray": (HEIGHT, WIDTH, 1),
        "float": (16, 16, 3, "float32"),
    }
    built = {}
    for name, shape in shapes.items():
        folder = tmp_path_factory.mktemp(name) / "project"
        emit(flatten_project(*shape), folder)
        built[name] = HostModel(folder)
    return built


def reference(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """What the training's own preprocessing makes of a frame."""
    return pixels.to_codes(pixels.resample(frame[np.newaxis], height, width))[0]


def random_frame(seed: int, height: int, width: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, size), np.uint8)


def unpacked(frame: np.ndarray, order: str) -> np.ndarray:
    """RGB565 as three bytes."""
    packed = frame.copy().view(f"{order}u2")[:, :, 0].astype(np.uint32)
    red, green, blue = packed >> 11, packed >> 5 & 63, packed & 31
    parts = red * 8 + red // 4, green * 4 + green // 16, blue * 8 + blue // 4
    return np.stack(parts, axis=2).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(side=st.integers(1, 130), seed=st.integers(0, 2**31))
def test_square_frames_give_the_trainings_bytes(models, side, seed):
    frame = random_frame(seed, side, side, 3)
    expected = pixels.to_codes(pixels.resize(frame[np.newaxis], 16))[0]
    np.testing.assert_array_equal(models["square"].load_image(frame, "rgb888"), expected)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 200), width=st.integers(1, 200), seed=st.integers(0, 2**31))
def test_frames_of_any_shape_and_format(models, height, width, seed):
    for name, pixel_format, size in (("wide", "rgb888", 3), ("gray", "gray8", 1)):
        frame = random_frame(seed, height, width, size)
        np.testing.assert_array_equal(
            models[name].load_image(frame, pixel_format), reference(frame, HEIGHT, WIDTH)
        )
    frame = random_frame(seed, height, width, 2)
    for pixel_format, order in (("rgb565", "<"), ("rgb565_swapped", ">")):
        np.testing.assert_array_equal(
            models["wide"].load_image(frame, pixel_format),
            reference(unpacked(frame, order), HEIGHT, WIDTH),
        )


def test_a_real_image_of_the_right_size_is_not_touched(models, sample):
    image = sample.split("test").pixels[0, :16, :16]
    np.testing.assert_array_equal(
        models["square"].load_image(image, "rgb888"), pixels.to_codes(image)
    )


def test_a_part_of_a_frame_is_read_with_the_frames_rows(models):
    frame = random_frame(3, 50, 70, 3)
    part = frame[10:43, 20:51]
    assert not part.flags.c_contiguous
    np.testing.assert_array_equal(
        models["wide"].load_image(part, "rgb888"),
        models["wide"].load_image(part.copy(), "rgb888"),
    )


def test_without_quantization_bytes_are_normalised(models):
    frame = random_frame(4, 33, 33, 3)
    expected = pixels.normalise(pixels.resize(frame[np.newaxis], 16))[0]
    np.testing.assert_array_equal(models["float"].load_image(frame, "rgb888"), expected)


@pytest.mark.parametrize(
    ("model", "shape", "pixel_format", "message"),
    [
        ("square", (4, 4, 3), "yuv422", "pixel format: must be one of gray8, rgb888, .*'yuv422'"),
        ("square", (4, 4, 2), "rgb888", r"frame: must be uint8 \(height, width, 3\) for rgb888"),
        ("square", (0, 4, 3), "rgb888", r"frame: must be uint8 .* got uint8 \(0, 4, 3\)"),
        ("square", (4, 4, 1), "gray8", "gray8 has not the 3 channels of the network's input"),
        ("gray", (4, 4, 3), "rgb888", "rgb888 has not the 1 channels of the network's input"),
    ],
)
def test_what_does_not_fit_is_refused(models, model, shape, pixel_format, message):
    with pytest.raises(ValueError, match=message):
        models[model].load_image(np.zeros(shape, np.uint8), pixel_format)
