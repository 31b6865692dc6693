// Element-wise functions of one float operand. In int8 each of them is a LOOKUP.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct UnaryFloat {
  std::int32_t count;
};

struct SlopeFloat {
  std::int32_t count;
  float alpha;
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

TINYML_KERNEL void hyperbolic_tangent(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) output[i] = std::tanh(input[i]);
}

TINYML_KERNEL void elu(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = input[i] < 0.0F ? std::expm1(input[i]) : input[i];
  }
}

TINYML_KERNEL void gelu(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = 0.5F * input[i] * std::erfc(input[i] * -0.70710678F);
  }
}

TINYML_KERNEL void gelu_by_tanh(const UnaryFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    const float x = input[i];
    output[i] = 0.5F * x * (1.0F + std::tanh(0.79788456F * (x + 0.044715F * x * x * x)));
  }
}

TINYML_KERNEL void leaky_relu(const SlopeFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = input[i] > 0.0F ? input[i] : op.alpha * input[i];
  }
}

TINYML_KERNEL void clamp(const ClampFloat& op, const float* input, float* output) {
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = clamp(input[i], op.low, op.high);
  }
}

}  // namespace tinyml
