// MUL: the product of the centred codes, scaled once.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"

namespace tinyml {

struct MulInt8 {
  Broadcast broadcast;
  std::int32_t multiplier;
  std::int8_t exponent;
  std::int8_t zero_point_a, zero_point_b, zero_point;
  std::int8_t low, high;
};

struct MulFloat {
  Broadcast broadcast;
  float low, high;
};

TINYML_KERNEL void mul(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  for_each_pair(op.broadcast, a, b, output, [&op](std::int32_t x, std::int32_t y) {
    const std::int32_t product = (x - op.zero_point_a) * (y - op.zero_point_b);
    const std::int32_t scaled = rescale(product, op.multiplier, op.exponent);
    return static_cast<std::int8_t>(clamp(wrapping_add(scaled, op.zero_point), op.low, op.high));
  });
}

TINYML_KERNEL void mul(const MulFloat& op, const float* a, const float* b, float* output) {
  for_each_pair(op.broadcast, a, b, output,
                [&op](float x, float y) { return clamp(x * y, op.low, op.high); });
}

}  // namespace tinyml
