// CONV_2D for MVE: four output channels of a run of pixels at a time.
//
// Windows are copied side by side, in order to be runs of codes, and so that what lies outside the
// image needs no further thought. Windows of 1x1 are read where they lie, a row of them.
#pragma once

#include <cstdint>

#include "runtime/kernels/mve/copy.hpp"
#include "runtime/kernels/mve/dot.hpp"
#include "runtime/kernels/mve/four_channels.hpp"
#include "runtime/kernels/mve/lookup.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace conv_2d_detail {

constexpr std::int32_t kBufferBytes = 2368;  // four windows of 3x3x64, or two of 1152 weights
constexpr std::int32_t kVectorBytes = 16;

inline std::int32_t whole_vectors(std::int32_t bytes) { return (bytes + 15) & ~15; }

// Copies rows of at most 16 bytes, `step` bytes apart. What follows their copies is overwritten, up
// to a vector's end. It is called, as a call may change the predicate.
TINYML_KERNEL void copy_short_rows(const std::int8_t* from, std::int32_t step, std::int32_t bytes,
                                   std::int32_t rows, std::int8_t* to) {
  asm volatile(
      "vctp.8 %[bytes]\n\t"
      "dls lr, %[rows]\n"
      "1:\n\t"
      "vpst\n\t"
      "vldrbt.8 q0, [%[from]]\n\t"
      "add %[from], %[from], %[step]\n\t"
      "vstrb.8 q0, [%[to]]\n\t"
      "add %[to], %[to], %[bytes]\n\t"
      "le lr, 1b\n\t"
      : [from] "+r"(from), [to] "+r"(to)
      : [step] "r"(step), [bytes] "r"(bytes), [rows] "r"(rows)
      : "q0", "lr", "cc", "memory");
}

// The window whose first code is (row, column) in the image, with the zero point outside of it.
inline void copy_window(const Conv2DInt8& op, const std::int8_t* input, std::int32_t row,
                        std::int32_t column, std::int8_t* to) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int32_t width = window.kernel_w * depth;
  const std::int32_t image_row = window.input.width * depth;
  const std::int32_t left = column * depth;
  const bool whole = row >= 0 && row + window.kernel_h <= window.input.height && left >= 0 &&
                     left + width <= image_row;
  if (whole && width <= kVectorBytes) {
    copy_short_rows(input + row * image_row + left, image_row, width, window.kernel_h, to);
    return;
  }
  const std::int32_t start = clamp(-left, 0, width);  // what lies inside the image, of a row
  const std::int32_t end = clamp(image_row - left, start, width);
  const std::int8_t zero = op.to.input_zero_point;
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

// All channels of a run of pixels; there are at least four channels.
TINYML_KERNEL void channels_of_run(const Conv2DInt8& op, const std::int8_t* codes,
                                   std::int32_t step, std::int32_t pixels, std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels;
  const std::int32_t filter = op.window.kernel_h * op.window.kernel_w * op.window.input.channels;
  const auto pixels_of = filter <= 16   ? mve::pixels_of_one_vector
                         : filter == 32 ? mve::pixels_of_vectors<2, true>
                         : filter < 32  ? mve::pixels_of_vectors<2, false>
                         : filter == 64 ? mve::pixels_of_vectors<4, true>
                                        : mve::pixels_of_any;
  mve::FourChannels four;
  four.filter = filter;
  four.vectors_bytes = whole_vectors(filter);
  four.channels = channels;
  for (std::int32_t from = 0; from < channels; from += 4) {
    // The last four channels may have been computed in part already.
    const std::int32_t channel = from + 4 <= channels ? from : channels - 4;
    four.scale(op.to, channel);
    pixels_of(four, {codes, step, pixels, op.weights + channel * filter, output + channel});
  }
}

// All channels of one pixel, whose constants serve once. Rows behind the last channel are the last
// row again.
TINYML_KERNEL void channels_of_one(const Conv2DInt8& op, const std::int8_t* codes,
                                   std::int32_t filter, std::int8_t* output) {
  const auto eights = vidupq_n_u32(0, 8);
  const std::int8_t* weights = op.weights;
  const std::int32_t* scales = op.to.scales;
  const std::int8_t* shifts = op.to.shifts;
  for (std::int32_t left = op.window.output.channels; left > 0; left -= 4) {
    const mve_pred16_t present = vctp32q(static_cast<std::uint32_t>(left));
    const std::int8_t* weights1 = left > 1 ? weights + filter : weights;
    const std::int8_t* weights2 = left > 2 ? weights1 + filter : weights;
    const std::int8_t* weights3 = left > 3 ? weights2 + filter : weights;
    const mve::FourSums sums = mve::dot(codes, weights, weights1, weights2, weights3, filter);
    const int32x4_t bias = vldrwq_gather_offset_z_s32(scales, eights, present);
    const int32x4_t multipliers = vldrwq_gather_offset_z_s32(scales + 1, eights, present);
    const int32x4_t down = vnegq_s32(vldrbq_z_s32(shifts, present));
    const int32x4_t sum = vaddq_s32(sums.vector(), bias);
    const int32x4_t code = mve::rescale(sum, multipliers, down, op.to.output_zero_point);
    vstrbq_p_s32(output, vshrq_n_s32(code, 24), present);
    weights += 4 * filter;
    scales += 8;
    shifts += 4;
    output += 4;
  }
}

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  using namespace conv_2d_detail;
  const Window& window = op.window;
  const std::int32_t filter = window.kernel_h * window.kernel_w * window.input.channels;
  const std::int32_t span = whole_vectors(filter), channels = window.output.channels;
  const bool same = window.kernel_h * window.kernel_w == 1 &&
                    window.stride_h * window.stride_w == 1 && window.pad_top + window.pad_left == 0;
  // Pixels of a row: those of the next row may already be written over this row's codes.
  const bool in_place = same && (span == filter || filter < kVectorBytes) &&
                        window.output.width == window.input.width;
  std::int8_t buffer[kBufferBytes + kVectorBytes];  // copies overwrite what follows them
  std::int32_t left = window.output.height * window.output.width, y = 0, x = 0;
  while (left > 0) {
    const std::int32_t fit = kBufferBytes / span;
    const std::int32_t pixels = in_place ? window.output.width : (fit < left ? fit : left);
    const std::int32_t step = in_place ? filter : span;
    const std::int8_t* codes = input;
    if (in_place) {
      input += pixels * filter;
    } else {
      codes = buffer;
      for (std::int32_t i = 0; i < pixels; ++i) {
        copy_window(op, input, y * window.stride_h - window.pad_top,
                    x * window.stride_w - window.pad_left, buffer + i * span);
        if (++x == window.output.width) ++y, x = 0;
      }
    }
    if (channels >= 4 && pixels > 1) {
      channels_of_run(op, codes, step, pixels, output);
    } else {
      for (std::int32_t i = 0; i < pixels; ++i) {
        channels_of_one(op, codes + i * step, filter, output + i * channels);
      }
    }
    if (op.to.table != nullptr) mve::look_up(op.to.table, pixels * channels, output, output);
    output += pixels * channels;
    left -= pixels;
  }
}

}  // namespace tinyml
