// RESIZE_BILINEAR: each output pixel is a weighted mean of the four around its source position.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

// Output pixel i looks at (i * scale + offset) / 1024.
struct ResizeBilinearInt8 {
  Shape input, output;
  std::int32_t scale_y, scale_x;
  std::int32_t offset_y, offset_x;
};

// Output pixel i looks at (i + offset) * scale - offset.
struct ResizeBilinearFloat {
  Shape input, output;
  float scale_y, scale_x;
  float offset_y, offset_x;
};

namespace resize_detail {

// The two pixels of a row or column between which a position lies, and their weights.
template <typename Weight>
struct Between {
  std::int32_t low, high;
  Weight low_weight, high_weight;
};

// Above the first pixel the position is negative and both pixels are the first one.
inline Between<std::int32_t> between(std::int32_t i, std::int32_t scale, std::int32_t offset,
                                     std::int32_t side) {
  constexpr std::int32_t kOne = 1 << 10;
  const std::int32_t position = i * scale + offset;
  const std::int32_t low = clamp(position / kOne, 0, side - 1);
  const std::int32_t high = clamp((position + kOne - 1) / kOne, 0, side - 1);
  return {low, high, kOne - (position - low * kOne), position - low * kOne};
}

inline Between<float> between(std::int32_t i, float scale, float offset, std::int32_t side) {
  const float position = (static_cast<float>(i) + offset) * scale - offset;
  const std::int32_t low = clamp(static_cast<std::int32_t>(std::floor(position)), 0, side - 1);
  const std::int32_t high = clamp(static_cast<std::int32_t>(std::ceil(position)), 0, side - 1);
  const float distance = position - static_cast<float>(low);
  return {low, high, 1.0F - distance, distance};
}

// Means of codes, in units of 2^-20, to nearest, ties away from zero.
inline std::int8_t finish(std::int32_t sum) {
  return static_cast<std::int8_t>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

inline float finish(float sum) { return sum; }

template <typename Weight, typename Op, typename Element>
inline void resize(const Op& op, const Element* input, Element* output) {
  const std::int32_t depth = op.input.channels;
  const std::int32_t row = op.input.width * depth;
  for (std::int32_t i = 0; i < op.output.height; ++i) {
    const Between<Weight> y = between(i, op.scale_y, op.offset_y, op.input.height);
    for (std::int32_t j = 0; j < op.output.width; ++j) {
      const Between<Weight> x = between(j, op.scale_x, op.offset_x, op.input.width);
      const Element* a = input + y.low * row + x.low * depth;
      const Element* b = input + y.high * row + x.low * depth;
      const Element* c = input + y.low * row + x.high * depth;
      const Element* d = input + y.high * row + x.high * depth;
      for (std::int32_t channel = 0; channel < depth; ++channel) {
        *output++ = finish(static_cast<Weight>(*a++) * y.low_weight * x.low_weight +
                           static_cast<Weight>(*b++) * y.high_weight * x.low_weight +
                           static_cast<Weight>(*c++) * y.low_weight * x.high_weight +
                           static_cast<Weight>(*d++) * y.high_weight * x.high_weight);
      }
    }
  }
}

}  // namespace resize_detail

TINYML_KERNEL void resize_bilinear(const ResizeBilinearInt8& op, const std::int8_t* input,
                                   std::int8_t* output) {
  resize_detail::resize<std::int32_t>(op, input, output);
}

TINYML_KERNEL void resize_bilinear(const ResizeBilinearFloat& op, const float* input,
                                   float* output) {
  resize_detail::resize<float>(op, input, output);
}

}  // namespace tinyml
