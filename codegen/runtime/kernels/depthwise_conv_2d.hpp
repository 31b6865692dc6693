// DEPTHWISE_CONV_2D on NHWC images. Weights are (kernel_h, kernel_w, out): neighbouring channels
// lie side by side in image and weights, so a few of them are summed at a time.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"
#include "runtime/kernels/requantize.hpp"

namespace tinyml {

struct DepthwiseConv2DFloat {
  Window window;
  std::int16_t multiplier;
  const float* weights;
  const float* bias;
  float low, high;
};

namespace depthwise_detail {

// Sums that fit into the registers of an Arm core, or into the vectors of a host.
#if defined(__arm__)
constexpr std::int32_t kBlock = 4;
#else
constexpr std::int32_t kBlock = 16;
#endif

// Calls visit(y, from, to) for the runs of taps, columns [from, to) of row y, outside the image.
template <typename Visit>
inline void for_each_run_outside(const Window& window, const Patch& patch, Visit visit) {
  for (std::int32_t y = 0; y < window.kernel_h; ++y) {
    const bool inside = y >= patch.y0 && y < patch.y1;
    visit(y, std::int32_t{0}, inside ? patch.x0 : std::int32_t{window.kernel_w});
    visit(y, inside ? patch.x1 : std::int32_t{window.kernel_w}, std::int32_t{window.kernel_w});
  }
}

// Sums of `Count` neighbouring output channels of one pixel; more than one only if each has an
// input channel of its own. Where the window leaves the image, `outside` stands for the input.
template <std::int32_t Count, typename Code, typename Sum>
inline void accumulate(const Window& window, const Patch& patch, const Code* weights,
                       const Code* input, std::int32_t source, std::int32_t channel, Sum outside,
                       Sum* result) {
  const std::int32_t channels = window.output.channels;
  const std::int32_t depth = window.input.channels;
  Sum sums[Count] = {};
  for (std::int32_t y = patch.y0; y < patch.y1; ++y) {
    const Code* codes =
        input + ((patch.top + y) * window.input.width + patch.left + patch.x0) * depth + source;
    const Code* taps = weights + (y * window.kernel_w + patch.x0) * channels + channel;
    for (std::int32_t x = patch.x0; x < patch.x1; ++x, codes += depth, taps += channels) {
#pragma GCC unroll 16
      for (std::int32_t i = 0; i < Count; ++i) {
        sums[i] += static_cast<Sum>(codes[i]) * static_cast<Sum>(taps[i]);
      }
    }
  }
  if (outside != 0 && !patch.whole(window)) {
    for_each_run_outside(window, patch, [&](std::int32_t y, std::int32_t from, std::int32_t to) {
      const Code* taps = weights + (y * window.kernel_w + from) * channels + channel;
      for (std::int32_t x = from; x < to; ++x, taps += channels) {
#pragma GCC unroll 16
        for (std::int32_t i = 0; i < Count; ++i) {
          sums[i] += outside * static_cast<Sum>(taps[i]);
        }
      }
    });
  }
#pragma GCC unroll 16
  for (std::int32_t i = 0; i < Count; ++i) {
    result[i] = sums[i];
  }
}

}  // namespace depthwise_detail

TINYML_KERNEL void depthwise_conv_2d_any(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                         std::int8_t* output) {
  using depthwise_detail::accumulate;
  using depthwise_detail::kBlock;
  const Window& window = op.window;
  const std::int32_t channels = window.output.channels;
  const std::int32_t blocked = op.multiplier == 1 ? channels - channels % kBlock : 0;
  const std::int32_t outside = op.to.input_zero_point;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x) {
      const Patch patch = patch_at(window, y, x);
      std::int32_t channel = 0;
      for (; channel < blocked; channel += kBlock) {
        std::int32_t sums[kBlock];
        accumulate<kBlock>(window, patch, op.weights, input, channel, channel, outside, sums);
        for (std::int32_t i = 0; i < kBlock; ++i) {
          *output++ = requantize(op.to, channel + i, sums[i]);
        }
      }
      for (; channel < channels; ++channel) {
        std::int32_t sum = 0;
        const std::int32_t source = channel / op.multiplier;
        accumulate<1>(window, patch, op.weights, input, source, channel, outside, &sum);
        *output++ = requantize(op.to, channel, sum);
      }
    }
  }
}

TINYML_KERNEL void depthwise_conv_2d(const DepthwiseConv2DFloat& op, const float* input,
                                     float* output) {
  using depthwise_detail::accumulate;
  const Window& window = op.window;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x) {
      const Patch patch = patch_at(window, y, x);
      for (std::int32_t channel = 0; channel < window.output.channels; ++channel) {
        const std::int32_t source = channel / op.multiplier;
        float sum = 0.0F;
        accumulate<1>(window, patch, op.weights, input, source, channel, 0.0F, &sum);
        *output++ = clamp(sum + op.bias[channel], op.low, op.high);
      }
    }
  }
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/depthwise_conv_2d.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/depthwise_conv_2d.hpp"
#else
namespace tinyml {

inline void depthwise_conv_2d(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                              std::int8_t* output) {
  depthwise_conv_2d_any(op, input, output);
}

}  // namespace tinyml
#endif
