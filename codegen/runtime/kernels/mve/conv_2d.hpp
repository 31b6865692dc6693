// CONV_2D for MVE: one output channel of four pixels at a time, or four channels of one pixel.
//
// Windows are copied side by side, in order to be runs of codes, and so that what lies outside the
// image needs no further thought. Windows of 1x1 are read where they lie.
#pragma once

#include <cstdint>

#include "runtime/kernels/mve/copy.hpp"
#include "runtime/kernels/mve/dot.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace conv_2d_detail {

constexpr std::int32_t kPixels = 4;
constexpr std::int32_t kBufferBytes = 2368;  // four windows of 3x3x64, or one of 1152 weights

inline std::int32_t whole_vectors(std::int32_t bytes) { return (bytes + 15) & ~15; }

// The window of pixel (y, x), with the zero point outside the image.
inline void copy_window(const Conv2DInt8& op, const std::int8_t* input, std::int32_t y,
                        std::int32_t x, std::int8_t* to) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int32_t width = window.kernel_w * depth;
  const std::int32_t image_row = window.input.width * depth;
  const std::int32_t left = (x * window.stride_w - window.pad_left) * depth;
  const std::int32_t start = clamp(-left, 0, width);  // what lies inside the image, of a row
  const std::int32_t end = clamp(image_row - left, start, width);
  const std::int8_t zero = op.to.input_zero_point;
  std::int32_t row = y * window.stride_h - window.pad_top;
  const std::int8_t* from = input + row * image_row + left + start;
  for (std::int32_t i = 0; i < window.kernel_h; ++i, ++row, from += image_row) {
    if (row < 0 || row >= window.input.height) {
      to = mve::fill(zero, width, to);
    } else if (end - start == width) {
      to = mve::copy(from, width, to);
    } else {
      to = mve::fill(zero, start, to);
      to = mve::copy(from, end - start, to);
      to = mve::fill(zero, width - end, to);
    }
  }
}

// All channels of four pixels, whose windows are `step` bytes apart. Blocks of 16 weights are
// counted at run time if `Blocks` is 0. Otherwise windows are readable up to their last block's
// end.
template <int Blocks>
TINYML_KERNEL void channels_of_four(const Conv2DInt8& op, const std::int8_t* codes,
                                    std::int32_t step, std::int32_t filter, std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels;
  const std::int32_t* scales = op.to.scales;
  const std::int8_t* shifts = op.to.shifts;
  const std::int8_t* weights = op.weights;
  const mve_pred16_t last = vctp8q(static_cast<std::uint32_t>(filter - 16 * (Blocks - 1)));
  const auto pixels = vmulq_n_u32(vidupq_n_u32(0, 1), static_cast<std::uint32_t>(channels));
  const std::int8_t* code1 = codes + step;
  const std::int8_t* code2 = code1 + step;
  const std::int8_t* code3 = code2 + step;
  for (std::int32_t channel = 0; channel < channels; ++channel) {
    mve::FourSums sums;
    if constexpr (Blocks == 0) {
      sums = mve::dot(weights, codes, code1, code2, code3, filter);
    } else {
      sums = mve::dot<Blocks>(weights, codes, code1, code2, code3, last);
    }
    const mve::Rescaling by = mve::rescaling(scales[1], *shifts, op.to.output_zero_point);
    const int32x4_t code = mve::rescale(vaddq_n_s32(sums.vector(), scales[0]), by);
    vstrbq_scatter_offset_s32(output + channel, pixels, mve::finish(code, op.to.table));
    weights += filter;
    scales += 2;
    ++shifts;
  }
}

// All channels of one pixel.
TINYML_KERNEL void channels_of_one(const Conv2DInt8& op, const std::int8_t* codes,
                                   std::int32_t filter, std::int8_t* output) {
  const std::int32_t* scales = op.to.scales;
  const std::int8_t* shifts = op.to.shifts;
  const std::int8_t* weights = op.weights;
  for (std::int32_t left = op.window.output.channels; left > 0; left -= 4) {
    const mve_pred16_t present = vctp32q(static_cast<std::uint32_t>(left));
    const std::int8_t* weights1 = left > 1 ? weights + filter : weights;
    const std::int8_t* weights2 = left > 2 ? weights1 + filter : weights;
    const std::int8_t* weights3 = left > 3 ? weights2 + filter : weights;
    const mve::FourSums sums = mve::dot(codes, weights, weights1, weights2, weights3, filter);
    const auto eights = vidupq_n_u32(0, 8);
    const int32x4_t bias = vldrwq_gather_offset_z_s32(scales, eights, present);
    const int32x4_t multipliers = vldrwq_gather_offset_z_s32(scales + 1, eights, present);
    const int32x4_t down = vnegq_s32(vldrbq_z_s32(shifts, present));
    const int32x4_t sum = vaddq_s32(sums.vector(), bias);
    const int32x4_t code = mve::rescale(sum, multipliers, down, op.to.output_zero_point);
    vstrbq_p_s32(output, mve::finish(code, op.to.table), present);
    weights = weights3 + filter;
    scales += 8;
    shifts += 4;
    output += 4;
  }
}

inline auto kernel_for(std::int32_t filter) {
  if (filter <= 16) return &channels_of_four<1>;
  if (filter <= 32) return &channels_of_four<2>;
  if (filter <= 48) return &channels_of_four<3>;
  if (filter <= 64) return &channels_of_four<4>;
  return &channels_of_four<0>;
}

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  using namespace conv_2d_detail;
  const Window& window = op.window;
  const std::int32_t filter = window.kernel_h * window.kernel_w * window.input.channels;
  const std::int32_t span = whole_vectors(filter);
  const bool same = window.kernel_h * window.kernel_w == 1 &&
                    window.stride_h * window.stride_w == 1 && window.pad_top + window.pad_left == 0;
  // Four pixels of a row: those of the next row may already be written over this row's codes.
  const bool in_place = same && span == filter && window.output.width % kPixels == 0 &&
                        window.output.width == window.input.width;
  const auto channels_of_pixels = kernel_for(filter);
  std::int8_t buffer[kBufferBytes];
  std::int32_t left = window.output.height * window.output.width, y = 0, x = 0;
  while (left > 0) {
    const std::int32_t pixels = left >= kPixels && kPixels * span <= kBufferBytes ? kPixels : 1;
    const std::int8_t* codes = input;
    if (in_place) {
      input += pixels * filter;
    } else {
      codes = buffer;
      for (std::int32_t i = 0; i < pixels; ++i) {
        copy_window(op, input, y, x, buffer + i * span);
        if (++x == window.output.width) ++y, x = 0;
      }
    }
    if (pixels == 1) {
      channels_of_one(op, codes, filter, output);
    } else {
      channels_of_pixels(op, codes, span, filter, output);
    }
    output += pixels * window.output.channels;
    left -= pixels;
  }
}

}  // namespace tinyml
