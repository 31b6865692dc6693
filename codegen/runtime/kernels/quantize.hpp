// QUANTIZE and DEQUANTIZE between reals and int8 codes: real = scale * (code - zero point).
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct Quantize {
  std::int32_t count;
  float scale;
  std::int8_t zero_point;
};

// To the nearest code, ties away from zero. A NaN becomes the zero point.
TINYML_KERNEL void quantize(const Quantize& op, const float* input, std::int8_t* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    const float steps = input[i] / op.scale;
    const float inside = steps == steps ? clamp(steps, -512.0F, 512.0F) : 0.0F;
    auto code = static_cast<std::int32_t>(inside);
    const float rest = inside - static_cast<float>(code);
    code += (rest >= 0.5F ? 1 : 0) - (rest <= -0.5F ? 1 : 0);
    output[i] = static_cast<std::int8_t>(clamp(code + op.zero_point, -128, 127));
  }
}

TINYML_KERNEL void dequantize(const Quantize& op, const std::int8_t* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = op.scale * static_cast<float>(input[i] - op.zero_point);
  }
}

}  // namespace tinyml
