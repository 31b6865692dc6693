"""Networks of samples, not of images: real numbers in, and nowhere called an image."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen import literals
from codegen.emit.emitter import emit
from codegen.frontend.cut import split
from codegen.frontend.read import open_model
from codegen.ops.quantize import to_codes
from codegen.toolchain.library import FLAGS
from tests.codegen.conftest import identity_project
from tests.support.models import to_flatbuffer
from tools.graphs.builder import Builder

FEATURES = 12
WRAPPERS = """
#include "tinyml/model.hpp"
using tinyml::Model;
static Model model;
extern "C" void quantized(const float* values, void* out) {
  std::memcpy(out, Model::quantize(values), sizeof(Model::Pixel) * tinyml::Config::kImageElements);
}
extern "C" void one_by_one(const float* values, Model::Pixel* out) {
  for (int i = 0; i < tinyml::Config::kImageElements; ++i) out[i] = Model::quantize(values[i]);
}
extern "C" int classified(const float* values) { return model.classify(values); }
extern "C" int classified_codes(const Model::Pixel* codes) { return model.classify(codes); }
extern "C" int learned(const float* values, int label) {
  return static_cast<int>(model.learn_image(values, static_cast<std::uint8_t>(label)));
}
"""


@pytest.fixture(scope="module", params=["int8", "float32"])
def model(request, tmp_path_factory):
    """A project of a line of samples, its folder, and functions of its class."""
    project = identity_project(FEATURES, dtype=request.param)
    folder = tmp_path_factory.mktemp("sensors") / "project"
    emit(project, folder)
    (folder / "wrappers.cpp").write_text("#include <cstring>\n" + WRAPPERS)
    sources = [
        "wrappers.cpp",
        *(f"src/{part}.cpp" for part in ("extractor", "weights", "head", "model")),
    ]
    flags = [flag for flag in FLAGS if flag != "-O3"]
    command = ["g++", *flags, "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Iinclude", "-I."]
    subprocess.run([*command, *sources, "-o", "wrappers.so"], cwd=folder, check=True)
    return project, folder, ctypes.CDLL(str(folder / "wrappers.so"))


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def test_real_numbers_become_the_codes_that_the_converter_makes_of_them(model) -> None:
    project, _, library = model
    source = project.graph.input
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.normal(0, 4, FEATURES).astype(np.float32)
        expected = values if source.dtype == "float32" else to_codes(source, values)
        for function in (library.quantized, library.one_by_one):
            out = np.empty(FEATURES, source.dtype)
            function(pointer(values), pointer(out))
            np.testing.assert_array_equal(out, expected)
        assert library.classified(pointer(values)) == library.classified_codes(pointer(expected))
    assert library.learned(pointer(values), 1) == 0
    values[3] = np.nan
    assert library.learned(pointer(values), 1) != 0


def test_nothing_calls_a_line_of_samples_an_image(model) -> None:
    _, folder, _ = model
    readme = (folder / "README.md").read_text()
    use = readme.partition("## Use")[2].partition("## Memory")[0]
    assert "const float values[12]" in use
    prose = re.sub(r"`[^`]*`|^    .*$", "", readme.partition("## Memory")[0], flags=re.MULTILINE)
    assert "image" not in prose
    assert "camera" not in prose
    (sketch,) = (folder / "arduino").rglob("*.ino")
    text = sketch.read_text()
    assert "float32 numbers" in text
    assert not re.search(r"\bpixel|images", text)
    command = ["g++", "-std=c++17", "-fsyntax-only", "-x", "c++", "-include", "Arduino.h"]
    core = Path(__file__).parents[2] / "support" / "cpp" / "arduino"
    include = [f"-I{core}", f"-I{sketch.parents[2] / 'src'}"]
    subprocess.run([*command, *include, sketch], check=True)


def test_a_shape_is_said_as_its_owner_says_it() -> None:
    shapes = [(1, 32, 32, 3), (1, 1, 128, 9), (1, 1, 20, 1)]
    assert [literals.input_shape(sides) for sides in shapes] == ["32x32x3", "128x9", "20"]


def test_rows_that_the_network_reshapes_to_an_image_are_one() -> None:
    b = Builder(np.random.default_rng(0))
    source = b.activation((1, 6, 6), 0.05, 0)
    x = b.operator("RESHAPE", (source,), b.activation((1, 6, 6, 1), 0.05, 0))
    axes = b.constant(np.array([1, 2], np.int32))
    x = b.operator("MEAN", (x, axes), b.activation((1, 1), 0.05, 0), keep_dims=False)
    weights = b.constant(np.ones((3, 1), np.int8), (0.1,))
    output = b.activation((1, 3), 0.1)
    b.operator("FULLY_CONNECTED", (x, weights), output, fused_activation="NONE")
    parts = split(open_model(to_flatbuffer(b.graph(source, output))))
    assert parts.extractor.input.shape == (1, 6, 6, 1)
