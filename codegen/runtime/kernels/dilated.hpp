// CONV_2D and DEPTHWISE_CONV_2D whose taps lie apart. The window's kernel is what they reach over.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/params.hpp"
#include "runtime/kernels/requantize.hpp"

namespace tinyml {

struct DilatedConv2DInt8 {
  Window window;
  std::int16_t rows, columns;  // taps
  std::int16_t dilation_h, dilation_w;
  const std::int8_t* weights;  // (out, rows, columns, in)
  Requantization to;           // nothing is folded into the bias
};

struct DilatedConv2DFloat {
  Window window;
  std::int16_t rows, columns;
  std::int16_t dilation_h, dilation_w;
  const float* weights;
  const float* bias;
  float low, high;
};

struct DilatedDepthwiseConv2DInt8 {
  Window window;
  std::int16_t rows, columns;
  std::int16_t dilation_h, dilation_w;
  std::int16_t multiplier;     // output channels per input channel
  const std::int8_t* weights;  // (rows, columns, out)
  Requantization to;
};

struct DilatedDepthwiseConv2DFloat {
  Window window;
  std::int16_t rows, columns;
  std::int16_t dilation_h, dilation_w;
  std::int16_t multiplier;
  const float* weights;
  const float* bias;
  float low, high;
};

namespace dilated_detail {

// visit(pixel, tap) for the taps of one window that lie in the image, by their numbers.
template <typename Op, typename Visit>
inline void for_each_tap(const Op& op, std::int32_t y, std::int32_t x, Visit visit) {
  const Shape& image = op.window.input;
  std::int32_t row = y * op.window.stride_h - op.window.pad_top;
  for (std::int32_t i = 0; i < op.rows; ++i, row += op.dilation_h) {
    std::int32_t column = x * op.window.stride_w - op.window.pad_left;
    for (std::int32_t j = 0; j < op.columns; ++j, column += op.dilation_w) {
      const bool inside = row >= 0 && row < image.height && column >= 0 && column < image.width;
      if (inside) visit(row * image.width + column, i * op.columns + j);
    }
  }
}

// sum(y, x, channel) for every output element, which finish(channel, sum) makes of it.
template <typename Op, typename Element, typename Sum, typename Finish>
inline void for_each_output(const Op& op, Element* output, Sum sum, Finish finish) {
  for (std::int32_t y = 0; y < op.window.output.height; ++y) {
    for (std::int32_t x = 0; x < op.window.output.width; ++x) {
      for (std::int32_t channel = 0; channel < op.window.output.channels; ++channel) {
        *output++ = finish(channel, sum(y, x, channel));
      }
    }
  }
}

template <typename Total, typename Op, typename Element>
inline Total dense(const Op& op, const Element* input, Total zero_point, std::int32_t y,
                   std::int32_t x, std::int32_t channel) {
  const std::int32_t depth = op.window.input.channels;
  const Element* weights = op.weights + channel * op.rows * op.columns * depth;
  Total sum = 0;
  for_each_tap(op, y, x, [&](std::int32_t pixel, std::int32_t tap) {
    for (std::int32_t c = 0; c < depth; ++c) {
      const Total value = static_cast<Total>(input[pixel * depth + c]) - zero_point;
      sum += value * static_cast<Total>(weights[tap * depth + c]);
    }
  });
  return sum;
}

template <typename Total, typename Op, typename Element>
inline Total depthwise(const Op& op, const Element* input, Total zero_point, std::int32_t y,
                       std::int32_t x, std::int32_t channel) {
  const std::int32_t depth = op.window.input.channels;
  const std::int32_t channels = op.window.output.channels;
  const std::int32_t source = channel / op.multiplier;
  Total sum = 0;
  for_each_tap(op, y, x, [&](std::int32_t pixel, std::int32_t tap) {
    const Total value = static_cast<Total>(input[pixel * depth + source]) - zero_point;
    sum += value * static_cast<Total>(op.weights[tap * channels + channel]);
  });
  return sum;
}

}  // namespace dilated_detail

TINYML_KERNEL void dilated_conv_2d(const DilatedConv2DInt8& op, const std::int8_t* input,
                                   std::int8_t* output) {
  dilated_detail::for_each_output(
      op, output,
      [&](std::int32_t y, std::int32_t x, std::int32_t channel) {
        return dilated_detail::dense<std::int32_t>(op, input, op.to.input_zero_point, y, x,
                                                   channel);
      },
      [&](std::int32_t channel, std::int32_t sum) { return requantize(op.to, channel, sum); });
}

TINYML_KERNEL void dilated_conv_2d(const DilatedConv2DFloat& op, const float* input,
                                   float* output) {
  dilated_detail::for_each_output(
      op, output,
      [&](std::int32_t y, std::int32_t x, std::int32_t channel) {
        return dilated_detail::dense<float>(op, input, 0.0F, y, x, channel);
      },
      [&](std::int32_t channel, float sum) {
        return clamp(sum + op.bias[channel], op.low, op.high);
      });
}

TINYML_KERNEL void dilated_depthwise_conv_2d(const DilatedDepthwiseConv2DInt8& op,
                                             const std::int8_t* input, std::int8_t* output) {
  dilated_detail::for_each_output(
      op, output,
      [&](std::int32_t y, std::int32_t x, std::int32_t channel) {
        return dilated_detail::depthwise<std::int32_t>(op, input, op.to.input_zero_point, y, x,
                                                       channel);
      },
      [&](std::int32_t channel, std::int32_t sum) { return requantize(op.to, channel, sum); });
}

TINYML_KERNEL void dilated_depthwise_conv_2d(const DilatedDepthwiseConv2DFloat& op,
                                             const float* input, float* output) {
  dilated_detail::for_each_output(
      op, output,
      [&](std::int32_t y, std::int32_t x, std::int32_t channel) {
        return dilated_detail::depthwise<float>(op, input, 0.0F, y, x, channel);
      },
      [&](std::int32_t channel, float sum) {
        return clamp(sum + op.bias[channel], op.low, op.high);
      });
}

}  // namespace tinyml
