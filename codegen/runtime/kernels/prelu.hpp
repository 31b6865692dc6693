// PRELU: the operand where it is positive, else times a slope that repeats along axes of size one.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"

namespace tinyml {

struct PreluInt8 {
  Broadcast broadcast;
  std::int32_t multiplier_above;
  std::int8_t exponent_above;
  std::int32_t multiplier_below;
  std::int8_t exponent_below;
  std::int8_t zero_point_a, zero_point_b, zero_point;
};

struct PreluFloat {
  Broadcast broadcast;
};

TINYML_KERNEL void prelu(const PreluInt8& op, const std::int8_t* input, const std::int8_t* slopes,
                         std::int8_t* output) {
  for_each_pair(op.broadcast, input, slopes, output, [&op](std::int8_t code, std::int8_t slope) {
    const std::int32_t x = code - op.zero_point_a;
    const std::int32_t scaled =
        x >= 0 ? rescale(x, op.multiplier_above, op.exponent_above)
               : rescale(x * (slope - op.zero_point_b), op.multiplier_below, op.exponent_below);
    return static_cast<std::int8_t>(clamp(wrapping_add(scaled, op.zero_point), -128, 127));
  });
}

TINYML_KERNEL void prelu(const PreluFloat& op, const float* input, const float* slopes,
                         float* output) {
  for_each_pair(op.broadcast, input, slopes, output,
                [](float x, float slope) { return x >= 0.0F ? x : x * slope; });
}

}  // namespace tinyml
