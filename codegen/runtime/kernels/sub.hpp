// SUB: both operands are brought to twice the larger scale, subtracted, and scaled to the output.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"

namespace tinyml {

struct SubInt8 {
  Broadcast broadcast;
  std::int32_t multiplier_a, multiplier_b, multiplier;
  std::int8_t exponent_a, exponent_b, exponent;
  std::int8_t zero_point_a, zero_point_b, zero_point;
  std::int8_t low, high;
};

struct SubFloat {
  Broadcast broadcast;
  float low, high;
};

TINYML_KERNEL void sub(const SubInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  constexpr std::int32_t kHeadroom = 1 << 20;
  for_each_pair(op.broadcast, a, b, output, [&op](std::int32_t x, std::int32_t y) {
    const std::int32_t scaled_x =
        rescale((x - op.zero_point_a) * kHeadroom, op.multiplier_a, op.exponent_a);
    const std::int32_t scaled_y =
        rescale((y - op.zero_point_b) * kHeadroom, op.multiplier_b, op.exponent_b);
    const std::int32_t difference = rescale(scaled_x - scaled_y, op.multiplier, op.exponent);
    return static_cast<std::int8_t>(clamp(difference + op.zero_point, op.low, op.high));
  });
}

TINYML_KERNEL void sub(const SubFloat& op, const float* a, const float* b, float* output) {
  for_each_pair(op.broadcast, a, b, output,
                [&op](float x, float y) { return clamp(x - y, op.low, op.high); });
}

}  // namespace tinyml
