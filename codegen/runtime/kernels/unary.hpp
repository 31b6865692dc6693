// Element-wise functions of one float operand. In int8 each of them is a LOOKUP.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct UnaryFloat {
  std::int32_t count;
};

struct ClampFloat {
  std::int32_t count;
  float low, high;
};

TINYML_KERNEL void hard_swish(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    const float x = input[i];
    output[i] = x * clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F;
  }
}

TINYML_KERNEL void logistic(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = 1.0F / (1.0F + std::exp(-input[i]));
  }
}

TINYML_KERNEL void clamp(const ClampFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = clamp(input[i], op.low, op.high);
  }
}

}  // namespace tinyml
