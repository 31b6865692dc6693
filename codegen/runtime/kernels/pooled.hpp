// POOLED: a convolution and the mean over all of its pixels, some channels at a time: of its output
// only those exist, in the scratch.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/conv_2d.hpp"
#include "runtime/kernels/mean.hpp"

namespace tinyml {

template <typename Convolution, typename Mean>
struct Pooled {
  Convolution convolution;
  Mean mean;
  std::int32_t channels;  // that are made together
};

using PooledInt8 = Pooled<Conv2DInt8, MeanInt8>;
using PooledFloat = Pooled<Conv2DFloat, MeanFloat>;

namespace pooled_detail {

inline void skip(Conv2DInt8& op, std::int32_t channels) {
  op.to.scales += 2 * channels;
  op.to.shifts += channels;
}

inline void skip(Conv2DFloat& op, std::int32_t channels) { op.bias += channels; }

template <typename Op, typename Element, typename Convolve, typename Average>
inline void by_channels(const Op& op, const Element* input, Element* output, Element* scratch,
                        Convolve convolve, Average average) {
  auto convolution = op.convolution;
  auto mean = op.mean;
  const Window& window = op.convolution.window;
  const std::int32_t filter = window.kernel_h * window.kernel_w * window.input.channels;
  for (std::int32_t first = 0; first < op.mean.channels; first += op.channels) {
    const std::int32_t left = op.mean.channels - first;
    const std::int32_t count = left < op.channels ? left : op.channels;
    convolution.window.output.channels = static_cast<std::int16_t>(count);
    mean.channels = count;
    convolve(convolution, input, scratch);
    average(mean, scratch, output + first);
    convolution.weights += count * filter;
    skip(convolution, count);
  }
}

}  // namespace pooled_detail

// For operators of which all that the fast kernels assume is proved.
TINYML_KERNEL void pooled(const PooledInt8& op, const std::int8_t* input, std::int8_t* output,
                          std::int8_t* scratch) {
  pooled_detail::by_channels(
      op, input, output, scratch,
      [](const Conv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        conv_2d(stage, from, to);
      },
      [](const MeanInt8& stage, const std::int8_t* from, std::int8_t* to) {
        mean(stage, from, to);
      });
}

TINYML_KERNEL void pooled_any(const PooledInt8& op, const std::int8_t* input, std::int8_t* output,
                              std::int8_t* scratch) {
  pooled_detail::by_channels(
      op, input, output, scratch,
      [](const Conv2DInt8& stage, const std::int8_t* from, std::int8_t* to) {
        conv_2d_any(stage, from, to);
      },
      [](const MeanInt8& stage, const std::int8_t* from, std::int8_t* to) {
        mean_any(stage, from, to);
      });
}

TINYML_KERNEL void pooled(const PooledFloat& op, const float* input, float* output,
                          float* scratch) {
  pooled_detail::by_channels(
      op, input, output, scratch,
      [](const Conv2DFloat& stage, const float* from, float* to) { conv_2d(stage, from, to); },
      [](const MeanFloat& stage, const float* from, float* to) { mean(stage, from, to); });
}

}  // namespace tinyml
