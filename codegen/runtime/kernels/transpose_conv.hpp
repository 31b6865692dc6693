// TRANSPOSE_CONV: the window is that of the convolution from the output back to the input, so that
// window.input is the shape of what is written here.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/params.hpp"
#include "runtime/kernels/requantize.hpp"

namespace tinyml {

struct TransposeConvInt8 {
  Window window;
  const std::int8_t* weights;  // (out, kernel_h, kernel_w, in)
  Requantization to;           // nothing is folded into the bias
};

struct TransposeConvFloat {
  Window window;
  const float* weights;
  const float* bias;
  float low, high;
};

namespace transpose_conv_detail {

// The sum of one output element: of every tap whose window starts at a whole step of the stride.
template <typename Total, typename Op, typename Element>
inline Total sum_at(const Op& op, const Element* input, Total zero_point, std::int32_t y,
                    std::int32_t x, std::int32_t channel) {
  const Window& window = op.window;
  const Shape& image = window.output;
  const std::int32_t depth = image.channels;
  const Element* weights = op.weights + channel * window.kernel_h * window.kernel_w * depth;
  Total sum = 0;
  for (std::int32_t i = 0; i < window.kernel_h; ++i) {
    const std::int32_t top = y + window.pad_top - i;
    if (top < 0 || top % window.stride_h != 0 || top / window.stride_h >= image.height) continue;
    for (std::int32_t j = 0; j < window.kernel_w; ++j) {
      const std::int32_t left = x + window.pad_left - j;
      if (left < 0 || left % window.stride_w != 0 || left / window.stride_w >= image.width) {
        continue;
      }
      const std::int32_t pixel = top / window.stride_h * image.width + left / window.stride_w;
      const Element* codes = input + pixel * depth;
      const Element* taps = weights + (i * window.kernel_w + j) * depth;
      for (std::int32_t c = 0; c < depth; ++c) {
        sum += (static_cast<Total>(codes[c]) - zero_point) * static_cast<Total>(taps[c]);
      }
    }
  }
  return sum;
}

}  // namespace transpose_conv_detail

TINYML_KERNEL void transpose_conv(const TransposeConvInt8& op, const std::int8_t* input,
                                  std::int8_t* output) {
  const Shape& made = op.window.input;
  for (std::int32_t y = 0; y < made.height; ++y) {
    for (std::int32_t x = 0; x < made.width; ++x) {
      for (std::int32_t channel = 0; channel < made.channels; ++channel) {
        const auto sum = transpose_conv_detail::sum_at<std::int32_t>(
            op, input, op.to.input_zero_point, y, x, channel);
        *output++ = requantize(op.to, channel, sum);
      }
    }
  }
}

TINYML_KERNEL void transpose_conv(const TransposeConvFloat& op, const float* input, float* output) {
  const Shape& made = op.window.input;
  for (std::int32_t y = 0; y < made.height; ++y) {
    for (std::int32_t x = 0; x < made.width; ++x) {
      for (std::int32_t channel = 0; channel < made.channels; ++channel) {
        const float sum = transpose_conv_detail::sum_at<float>(op, input, 0.0F, y, x, channel);
        *output++ = clamp(sum + op.bias[channel], op.low, op.high);
      }
    }
  }
}

}  // namespace tinyml
