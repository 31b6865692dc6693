"""The model from a program in C11: compiled, run, and the same as from C++."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codegen.toolchain.host import HostModel
from codegen.toolchain.run import run
from tests.support.needs import needs_cmake

SAMPLES = 30
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(app LANGUAGES C CXX)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
add_subdirectory(model)
add_executable(app main.c)
target_compile_options(app PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wstrict-prototypes -Werror)
target_link_libraries(app PRIVATE tinyml::identity_c)
"""
MAIN = """\
#include <stdio.h>
#include <string.h>
#include <tinyml/model.h>

static tinyml_identity_model model;
static tinyml_identity_pixel elements[TINYML_IDENTITY_HEIGHT * TINYML_IDENTITY_WIDTH * TINYML_IDENTITY_CHANNELS];

int main(void) {
  uint8_t label;
  float logits[TINYML_IDENTITY_CLASSES];
  tinyml_identity_feature features[TINYML_IDENTITY_FEATURES];
  tinyml_identity_init(&model);
  if (!tinyml_identity_set_knob(&model, 0, 0.7F) || tinyml_identity_set_knob(&model, 0, -1.0F)) return 1;
  if (tinyml_identity_knob(&model, 0) != 0.7F || TINYML_IDENTITY_KNOBS != 1) return 2;
  while (fread(elements, sizeof(elements), 1, stdin) == 1 && fread(&label, 1, 1, stdin) == 1) {
    memcpy(tinyml_identity_image(), elements, sizeof(elements));
    const uint8_t guess = tinyml_identity_classify(&model, tinyml_identity_image());
    tinyml_identity_extract(elements, features);
    if (tinyml_identity_predict(&model, features) != guess) return 3;
    tinyml_identity_logits(&model, features, logits);
    const tinyml_identity_status status = tinyml_identity_learn_image(&model, elements, label);
    if ((status == TINYML_IDENTITY_LEARNED) != (label < TINYML_IDENTITY_CLASSES)) return 4;
    fwrite(&guess, 1, 1, stdout);
    fwrite(logits, sizeof(logits), 1, stdout);
  }
  if (tinyml_identity_buffer_count(&model) != 4 || !tinyml_identity_state_within_limits(&model)) return 5;
  const uint8_t gray[] = {0, 255};
  if (tinyml_identity_load_image(TINYML_IDENTITY_RGB888, gray, 1, 1, 3) == 1) return 6;
  fwrite(tinyml_identity_state(&model), TINYML_IDENTITY_STATE_BYTES, 1, stdout);
  tinyml_identity_reset(&model);
  return tinyml_identity_buffer_count(&model);
}
"""


@needs_cmake
def test_a_program_in_c_learns_what_one_in_cpp_does(emit_identity, tmp_path: Path) -> None:
    _, tree = emit_identity()
    (tmp_path / "model").symlink_to(tree)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    (tmp_path / "main.c").write_text(MAIN)
    run(["cmake", "-S", ".", "-B", "build"], tmp_path, 60)
    run(["cmake", "--build", "build", "--target", "app"], tmp_path, 300)

    host = HostModel(tree)
    host.set_knob("learning_rate", 0.7)
    rng = np.random.default_rng(5)
    images = rng.integers(-128, 128, (SAMPLES, *host.shape.image)).astype(np.int8)
    labels = rng.integers(0, host.shape.classes + 1, SAMPLES)  # one of them is no class
    given, expected = b"", b""
    for image, label in zip(images, labels, strict=True):
        features = host.features(image[np.newaxis])
        given += image.tobytes() + bytes((label,))
        expected += host.predict(features).tobytes() + host.logits(features).tobytes()
        if label < host.shape.classes:
            host.learn(features[0], int(label))
    (tmp_path / "given").write_bytes(given)
    run(["sh", "-c", "build/app <given >found"], tmp_path, 60)
    assert (tmp_path / "found").read_bytes() == expected + host.state().tobytes()
