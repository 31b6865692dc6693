// CONV_2D on NHWC images. Weights are (out, kernel_h, kernel_w, in), so that one row of a window
// is one run of codes in the image and one run of weights.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"
#include "runtime/kernels/requantize.hpp"

#if TINYML_ISA_ARMV6M
#include "runtime/kernels/armv6m/dot.hpp"
#endif

namespace tinyml {

struct Conv2DFloat {
  Window window;
  const float* weights;
  const float* bias;
  float low, high;
};

namespace conv_2d_detail {

#if !TINYML_ISA_ARMV6M
// Dot products of one run of codes with the runs of four output channels, `step` apart.
inline void dot4(const std::int8_t* codes, const std::int8_t* weights, std::int32_t step,
                 std::int32_t count, std::int32_t* sums) {
  const std::int8_t* w0 = weights;
  const std::int8_t* w1 = w0 + step;
  const std::int8_t* w2 = w1 + step;
  const std::int8_t* w3 = w2 + step;
  std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int32_t code = codes[i];
    s0 += code * w0[i];
    s1 += code * w1[i];
    s2 += code * w2[i];
    s3 += code * w3[i];
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}
#endif

template <typename Code, typename Sum>
inline Sum dot(const Code* codes, const Code* weights, std::int32_t count) {
  Sum sum = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    sum += static_cast<Sum>(codes[i]) * static_cast<Sum>(weights[i]);
  }
  return sum;
}

// Sum of one output channel's weights that fall outside the image.
inline std::int32_t sum_outside(const Window& window, const Patch& patch,
                                const std::int8_t* weights) {
  std::int32_t sum = 0;
  for (std::int32_t y = 0; y < window.kernel_h; ++y) {
    for (std::int32_t x = 0; x < window.kernel_w; ++x) {
      const bool inside = y >= patch.y0 && y < patch.y1 && x >= patch.x0 && x < patch.x1;
      for (std::int32_t c = 0; c < window.input.channels; ++c, ++weights) {
        sum += inside ? 0 : *weights;
      }
    }
  }
  return sum;
}

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d_any(const Conv2DInt8& op, const std::int8_t* input,
                               std::int8_t* output) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int32_t filter_row = window.kernel_w * depth;
  const std::int32_t filter = window.kernel_h * filter_row;
  const std::int32_t image_row = window.input.width * depth;
  const std::int32_t channels = window.output.channels;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x) {
      const Patch patch = patch_at(window, y, x);
      const bool cut = op.to.input_zero_point != 0 && !patch.whole(window);
      const std::int8_t* corner =
          input + (patch.top + patch.y0) * image_row + (patch.left + patch.x0) * depth;
      const std::int32_t run = (patch.x1 - patch.x0) * depth;
      const std::int32_t first = patch.y0 * filter_row + patch.x0 * depth;
      const std::int32_t rows = patch.y1 - patch.y0;
      for (std::int32_t channel = 0; channel < channels; channel += 4) {
        const std::int8_t* weights = op.weights + channel * filter;
        const std::int32_t group = channels - channel < 4 ? channels - channel : 4;
        std::int32_t sums[4] = {0, 0, 0, 0};
        for (std::int32_t row = 0; row < rows; ++row) {
          const std::int8_t* codes = corner + row * image_row;
          const std::int8_t* runs = weights + first + row * filter_row;
          if (group == 4) {
            conv_2d_detail::dot4(codes, runs, filter, run, sums);
            continue;
          }
          for (std::int32_t i = 0; i < group; ++i) {
            sums[i] +=
                conv_2d_detail::dot<std::int8_t, std::int32_t>(codes, runs + i * filter, run);
          }
        }
        for (std::int32_t i = 0; i < group; ++i) {
          if (cut) {
            sums[i] += op.to.input_zero_point *
                       conv_2d_detail::sum_outside(window, patch, weights + i * filter);
          }
          *output++ = requantize(op.to, channel + i, sums[i]);
        }
      }
    }
  }
}

TINYML_KERNEL void conv_2d(const Conv2DFloat& op, const float* input, float* output) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int32_t filter_row = window.kernel_w * depth;
  const std::int32_t image_row = window.input.width * depth;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x) {
      const Patch patch = patch_at(window, y, x);
      const std::int32_t run = (patch.x1 - patch.x0) * depth;
      const float* weights = op.weights + patch.x0 * depth;
      for (std::int32_t channel = 0; channel < window.output.channels; ++channel) {
        float sum = op.bias[channel];
        for (std::int32_t row = patch.y0; row < patch.y1; ++row) {
          const float* codes =
              input + (patch.top + row) * image_row + (patch.left + patch.x0) * depth;
          sum += conv_2d_detail::dot<float, float>(codes, weights + row * filter_row, run);
        }
        weights += window.kernel_h * filter_row;
        *output++ = clamp(sum, op.low, op.high);
      }
    }
  }
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/conv_2d.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/conv_2d.hpp"
#else
namespace tinyml {

inline void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  conv_2d_any(op, input, output);
}

}  // namespace tinyml
#endif
