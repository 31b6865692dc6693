// INVERTED_RESIDUAL: a 1x1 convolution that expands, a depthwise convolution and a 1x1 convolution
// that projects, row by row. Of the expansion only the rows under the depthwise window exist at a
// time, in the scratch; no row is computed twice.
//
// When an output row is written, the image's rows down to the depthwise window's last have been
// read for good: the output may lie over them.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/conv_2d.hpp"
#include "runtime/kernels/depthwise_conv_2d.hpp"

namespace tinyml {

template <typename Convolution, typename Depthwise>
struct InvertedResidual {
  Convolution expand;
  Depthwise depthwise;
  Convolution project;
};

using InvertedResidualInt8 = InvertedResidual<Conv2DInt8, DepthwiseConv2DInt8>;
using InvertedResidualFloat = InvertedResidual<Conv2DFloat, DepthwiseConv2DFloat>;

namespace inverted_residual_detail {

// Copies `bytes` to a lower address, words first; newlib-nano's memmove goes byte by byte.
inline void move_down(void* target, const void* source, std::int32_t bytes) {
  auto* to = static_cast<unsigned char*>(target);
  const auto* from = static_cast<const unsigned char*>(source);
  for (; bytes >= 4; bytes -= 4, to += 4, from += 4) {
    std::uint32_t word;
    std::memcpy(&word, from, sizeof word);
    std::memcpy(to, &word, sizeof word);
  }
  for (; bytes > 0; --bytes) *to++ = *from++;
}

// `convolve` and `filter` are the kernels of the stages. The scratch holds kernel_h rows of the
// expansion and one row that the depthwise convolution made.
template <typename Block, typename Element, typename Convolve, typename Filter>
inline void by_rows(const Block& op, const Element* input, Element* output, Element* scratch,
                    Convolve convolve, Filter filter) {
  auto expand = op.expand;
  auto depthwise = op.depthwise;
  auto project = op.project;
  expand.window.input.height = expand.window.output.height = 1;
  depthwise.window.output.height = 1;
  project.window.input.height = project.window.output.height = 1;
  const Window& window = op.depthwise.window;
  const std::int32_t input_row = expand.window.input.width * expand.window.input.channels;
  const std::int32_t row = window.input.width * window.input.channels;
  const std::int32_t output_row = project.window.output.width * project.window.output.channels;
  Element* filtered = scratch + window.kernel_h * row;
  std::int32_t first = 0, stop = 0;  // rows of the expansion in the scratch
  for (std::int32_t y = 0; y < window.output.height; ++y, output += output_row) {
    const std::int32_t top = y * window.stride_h - window.pad_top;
    const std::int32_t needed = clamp(top, 0, window.input.height);
    const std::int32_t end = clamp(top + window.kernel_h, 0, window.input.height);
    if (needed < stop && needed > first) {
      const auto bytes = static_cast<std::int32_t>(sizeof(Element)) * (stop - needed) * row;
      move_down(scratch, scratch + (needed - first) * row, bytes);
    }
    first = needed;
    stop = stop > first ? stop : first;
    for (; stop < end; ++stop) {
      convolve(expand, input + stop * input_row, scratch + (stop - first) * row);
    }
    depthwise.window.input.height = static_cast<std::int16_t>(end - first);
    depthwise.window.pad_top = static_cast<std::int16_t>(first - top);
    filter(depthwise, scratch, filtered);
    convolve(project, filtered, output);
  }
}

}  // namespace inverted_residual_detail

// For stages of which all that the fast kernels assume is proved.
TINYML_KERNEL void inverted_residual(const InvertedResidualInt8& op, const std::int8_t* input,
                                     std::int8_t* output, std::int8_t* scratch) {
  inverted_residual_detail::by_rows(
      op, input, output, scratch,
      [](const Conv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        conv_2d(stage, from, to);
      },
      [](const DepthwiseConv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        depthwise_conv_2d(stage, from, to);
      });
}

TINYML_KERNEL void inverted_residual_any(const InvertedResidualInt8& op, const std::int8_t* input,
                                         std::int8_t* output, std::int8_t* scratch) {
  inverted_residual_detail::by_rows(
      op, input, output, scratch,
      [](const Conv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        conv_2d_any(stage, from, to);
      },
      [](const DepthwiseConv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        depthwise_conv_2d_any(stage, from, to);
      });
}

TINYML_KERNEL void inverted_residual(const InvertedResidualFloat& op, const float* input,
                                     float* output, float* scratch) {
  inverted_residual_detail::by_rows(
      op, input, output, scratch,
      [](const Conv2DFloat& stage, const float* from, float* to) { conv_2d(stage, from, to); },
      [](const DepthwiseConv2DFloat& stage, const float* from, float* to) {
        depthwise_conv_2d(stage, from, to);
      });
}

}  // namespace tinyml
