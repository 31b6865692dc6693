"""Camera bytes to the network's input in C++: the bytes of the training's own preprocessing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import camera, pixels
from codegen.emit.emitter import emit
from codegen.ir import Graph, Op, Quantization
from codegen.normalisation import Normalisation
from codegen.project import Golden, Project
from codegen.toolchain.host import PIXEL_BYTES, HostModel
from tests.codegen.conftest import identity_project

HEIGHT, WIDTH = 12, 20  # a network may want something else than a square


OWN = Quantization((1 / 128,), (0,))
# ImageNet's, for bytes, and a range that holds what it makes of them.
IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
IMAGENETS_RANGE = Quantization((0.0187,), (-14,))


def flatten_project(
    height: int,
    width: int,
    channels: int,
    dtype: str = "int8",
    told: tuple[tuple[float, ...], tuple[float, ...]] | None = None,
    quantization: Quantization = OWN,
) -> Project:
    """An extractor that only flattens an image of the given shape."""
    project = identity_project(features=height * width * channels, classes=2, dtype=dtype)
    image, flat = project.graph.tensors
    source = replace(
        image,
        shape=(1, height, width, channels),
        quantization=None if dtype == "float32" else quantization,
    )
    flat = replace(flat, quantization=source.quantization)
    graph = Graph((source, flat), (Op("RESHAPE", (0,), (1,)),), (0,), (1,))
    golden = Golden(
        np.zeros((0, height, width, channels), dtype), np.zeros((0, flat.elements), dtype)
    )
    given = told and Normalisation.of(*told, source, "a test")
    return replace(project, graph=graph, golden=golden, normalisation=given)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, HostModel]:
    """The inputs that the tests need."""
    projects = {
        "square": flatten_project(16, 16, 3),
        "wide": flatten_project(HEIGHT, WIDTH, 3),
        "gray": flatten_project(HEIGHT, WIDTH, 1),
        "float": flatten_project(16, 16, 3, "float32", IMAGENET),
        "imagenet": flatten_project(HEIGHT, WIDTH, 3, told=IMAGENET, quantization=IMAGENETS_RANGE),
        "unknown": flatten_project(HEIGHT, WIDTH, 3, "float32"),
    }
    built = {}
    for name, project in projects.items():
        folder = tmp_path_factory.mktemp(name) / "project"
        emit(project, folder)
        built[name] = HostModel(folder)
    return built


def reference(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """What the training's own preprocessing makes of a frame."""
    return pixels.to_codes(pixels.resample(frame[np.newaxis], height, width))[0]


def random_frame(seed: int, height: int, width: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, size), np.uint8)


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
    for pixel_format, size in PIXEL_BYTES.items():
        if pixel_format == "gray8":
            continue
        even = width + width % 2
        frame = random_frame(seed, height, even, size)
        colors = camera.unpack(frame, pixel_format)
        for name, seen in (("wide", colors), ("gray", camera.gray(colors))):
            np.testing.assert_array_equal(
                models[name].load_image(frame, pixel_format), reference(seen, HEIGHT, WIDTH)
            )


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 2**31))
def test_the_trainings_normalisation_channel_by_channel(models, height, width, seed):
    frame = random_frame(seed, height, width, 3)
    resized = pixels.resample(frame[np.newaxis], HEIGHT, WIDTH)[0]
    told = Normalisation(*IMAGENET)
    codes = models["imagenet"].load_image(frame, "rgb888")
    np.testing.assert_array_equal(codes, told.codes(resized, 0.0187, -14))
    mean, std = np.array(IMAGENET)
    exact = (resized - mean) / std
    assert np.abs((codes.astype(float) + 14) * 0.0187 - exact).max() <= 0.0187 * 0.500001
    resized = pixels.resize(random_frame(seed, 33, 33, 3)[np.newaxis], 16)[0]
    reals = models["float"].load_image(random_frame(seed, 33, 33, 3), "rgb888")
    np.testing.assert_array_equal(reals, told.reals(resized))
    np.testing.assert_allclose(reals, (resized - mean) / std, rtol=1e-6, atol=1e-6)


def test_colors_are_the_standards():
    """ITU-R BT.601 as JPEG has it, over random colors; the gray of a gray is itself."""
    rgb = np.random.default_rng(2).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    rgb[:, 1::2] = rgb[:, ::2]  # two pixels share their differences
    red, green, blue = rgb.astype(float).transpose(2, 0, 1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = np.stack([luma, 128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402])
    y, u, v = np.clip(np.rint(parts), 0, 255).astype(np.uint8)
    second = np.where(np.arange(40) % 2, v, u)
    found = camera.unpack(np.stack([y, second], axis=2), "yuv422")
    assert np.abs(found.astype(int) - rgb).max() <= 2  # of rounding y, u and v
    np.testing.assert_array_equal(
        camera.unpack(np.stack([second, y], axis=2), "yuv422_swapped"), found
    )
    assert np.abs(camera.gray(rgb)[:, :, 0] - luma).max() <= 1
    same = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1)
    np.testing.assert_array_equal(camera.gray(same)[:, 0], np.arange(256))


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


@pytest.mark.parametrize(
    ("model", "shape", "pixel_format", "message"),
    [
        ("square", (4, 4, 3), "hsv", "pixel format: must be one of gray8, rgb888, .*'hsv'"),
        ("square", (4, 4, 2), "rgb888", r"frame: must be uint8 \(height, width, 3\) for rgb888"),
        ("square", (0, 4, 3), "rgb888", r"frame: must be uint8 .* got uint8 \(0, 4, 3\)"),
        ("square", (4, 4, 1), "gray8", "gray8 has not the 3 channels of the network's input"),
        ("square", (4, 3, 2), "yuv422", "two pixels of yuv422 share bytes; got a width of 3"),
        ("unknown", (4, 4, 3), "rgb888", "not known: generate the project with --mean and --std"),
    ],
)
def test_what_does_not_fit_is_refused(models, model, shape, pixel_format, message):
    with pytest.raises(ValueError, match=message):
        models[model].load_image(np.zeros(shape, np.uint8), pixel_format)
