// DEPTHWISE_CONV_2D for MVE: 16 channels of one pixel at a time, or 8 of two neighbours.
//
// The rows of codes that a row of output needs are copied, 16 channels of them, with the zero point
// where they leave the image; so every window is whole. Products have 16 bits and so have sums of
// two, as no weight is -128: sums are widened once for two taps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/kernels/mve/copy.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace depthwise_detail {

constexpr std::int32_t kLanes = 16;
constexpr std::int32_t kMostTaps = 49;
constexpr std::int32_t kBufferBytes = 2304;

// What 16 lanes need. Lane 4 i + j is number i of vector j: multiplication splits vectors so.
struct Lanes {
  std::int32_t bias[4][4];
  std::int32_t multipliers[4][4];
  std::int32_t shifts[4][4];
  std::int8_t taps[kMostTaps][kLanes];
};

// The columns of the image and of the copy that a run of output pixels needs.
struct Columns {
  std::int32_t first, count;
};

// Lanes are channels from `channel` on; they start again after `cell` of them.
inline void gather(const DepthwiseConv2DInt8& op, std::int32_t channel, std::int32_t cell,
                   Lanes& lanes) {
  const std::int32_t channels = op.window.output.channels;
  const std::int32_t left = channels - channel < kLanes ? channels - channel : kLanes;
  const auto last = vdupq_n_u32(static_cast<std::uint32_t>(left - 1));
  const auto wrap = vdupq_n_u32(static_cast<std::uint32_t>(cell - 1));
  const std::int32_t* scales = op.to.scales + 2 * channel;
  for (std::uint32_t j = 0; j < 4; ++j) {
    const auto index = vminq_u32(vandq_u32(vidupq_n_u32(j, 4), wrap), last);
    const auto pairs = vshlq_n_u32(index, 1);
    vst1q_s32(lanes.bias[j], vldrwq_gather_shifted_offset_s32(scales, pairs));
    vst1q_s32(lanes.multipliers[j], vldrwq_gather_shifted_offset_s32(scales + 1, pairs));
    vst1q_s32(lanes.shifts[j], vnegq_s32(vldrbq_gather_offset_s32(op.to.shifts + channel, index)));
  }
  const auto offsets = vandq_u8(vidupq_n_u8(0, 1), vdupq_n_u8(static_cast<std::uint8_t>(cell - 1)));
  const mve_pred16_t present = vctp8q(static_cast<std::uint32_t>(left < cell ? left : kLanes));
  const std::int8_t* weights = op.weights + channel;
  const std::int32_t taps = op.window.kernel_h * op.window.kernel_w;
  for (std::int32_t tap = 0; tap < taps; ++tap, weights += channels) {
    vst1q_s8(lanes.taps[tap], vldrbq_gather_offset_z_s8(weights, offsets, present));
  }
}

// Copies 16 channels, `cell` bytes apart, of the columns of one row.
inline void copy_row(const Window& window, const std::int8_t* input, std::int32_t y,
                     const Columns& columns, std::int32_t channel, std::int32_t cell,
                     std::int8_t zero, std::int8_t* to) {
  const std::int32_t depth = window.input.channels, width = window.input.width;
  const bool inside = y >= 0 && y < window.input.height;
  const std::int32_t start = inside ? clamp(-columns.first, 0, columns.count) : columns.count;
  const std::int32_t end = clamp(width - columns.first, start, columns.count);
  to = mve::fill(zero, start * cell, to);
  const std::int8_t* from = input + (y * width + columns.first + start) * depth + channel;
  if (depth == cell) {
    to = mve::copy(from, (end - start) * cell, to);
  } else {
    const mve_pred16_t present = vctp8q(static_cast<std::uint32_t>(depth - channel));
    for (std::int32_t x = start; x < end; ++x, from += depth, to += cell) {
      vst1q_s8(to, vldrbq_z_s8(from, present));
    }
  }
  mve::fill(zero, (columns.count - end) * cell, to);
}

// Sums of 16 lanes. gcc 12 spills half of the vectors when it schedules these as intrinsics: there
// are just enough registers for the sums and what is added to them.
struct Sums {
  int32x4_t s0, s1, s2, s3;

  void add(int16x8_t even, int16x8_t odd) {
    int32x4_t wide;
    asm("vmovlb.s16 %q[wide], %q[even]\n\t"
        "vadd.i32 %q[s0], %q[s0], %q[wide]\n\t"
        "vmovlt.s16 %q[wide], %q[even]\n\t"
        "vadd.i32 %q[s2], %q[s2], %q[wide]\n\t"
        "vmovlb.s16 %q[wide], %q[odd]\n\t"
        "vadd.i32 %q[s1], %q[s1], %q[wide]\n\t"
        "vmovlt.s16 %q[wide], %q[odd]\n\t"
        "vadd.i32 %q[s3], %q[s3], %q[wide]"
        : [s0] "+w"(s0), [s1] "+w"(s1), [s2] "+w"(s2), [s3] "+w"(s3), [wide] "=&w"(wide)
        : [even] "w"(even), [odd] "w"(odd));
  }

  // Codes at codes[Code], weights at taps[Tap]; for two taps also at next[Next] and the 16 bytes
  // after taps[Tap].
  template <int Code, int Tap>
  void tap(const std::int8_t* codes, const std::int8_t* taps) {
    int16x8_t even, odd, weights;
    asm volatile(
        "vldrb.8 %q[odd], [%[codes], #%c[code]]\n\t"
        "vldrb.8 %q[weights], [%[taps], #%c[tap]]\n\t"
        "vmullb.s8 %q[even], %q[odd], %q[weights]\n\t"
        "vmullt.s8 %q[odd], %q[odd], %q[weights]"
        : [even] "=&w"(even), [odd] "=&w"(odd), [weights] "=&w"(weights)
        : [codes] "r"(codes), [taps] "r"(taps), [code] "i"(Code), [tap] "i"(Tap)
        : "memory");
    add(even, odd);
  }

  template <int Code, int Next, int Tap>
  void two_taps(const std::int8_t* codes, const std::int8_t* next, const std::int8_t* taps) {
    int16x8_t even, odd, more, weights;
    asm volatile(
        "vldrb.8 %q[odd], [%[codes], #%c[code]]\n\t"
        "vldrb.8 %q[weights], [%[taps], #%c[tap]]\n\t"
        "vmullb.s8 %q[even], %q[odd], %q[weights]\n\t"
        "vldrb.8 %q[more], [%[next], #%c[next_code]]\n\t"
        "vmullt.s8 %q[odd], %q[odd], %q[weights]\n\t"
        "vldrb.8 %q[weights], [%[taps], #%c[next_tap]]\n\t"
        "vmullb.s8 %q[weights], %q[more], %q[weights]\n\t"
        "vadd.i16 %q[even], %q[even], %q[weights]\n\t"
        "vldrb.8 %q[weights], [%[taps], #%c[next_tap]]\n\t"
        "vmullt.s8 %q[weights], %q[more], %q[weights]\n\t"
        "vadd.i16 %q[odd], %q[odd], %q[weights]"
        : [even] "=&w"(even), [odd] "=&w"(odd), [more] "=&w"(more), [weights] "=&w"(weights)
        : [codes] "r"(codes), [next] "r"(next), [taps] "r"(taps), [code] "i"(Code),
          [next_code] "i"(Next), [tap] "i"(Tap), [next_tap] "i"(Tap + kLanes)
        : "memory");
    add(even, odd);
  }
};

// Sums of one window whose rows are `row` bytes apart. `Size` is 0 for kernels other than 3x3.
template <std::int32_t Cell, std::int32_t Size>
inline void window_sums(const Window& window, const std::int8_t* codes, std::int32_t row,
                        const std::int8_t* taps, Sums& sums) {
  if constexpr (Size == 3) {
    const std::int8_t* codes1 = codes + row;
    const std::int8_t* codes2 = codes1 + row;
    taps += 4 * kLanes;  // the reach of an offset is 127
    sums.two_taps<0, Cell, -4 * kLanes>(codes, codes, taps);
    sums.two_taps<2 * Cell, 0, -2 * kLanes>(codes, codes1, taps);
    sums.two_taps<Cell, 2 * Cell, 0>(codes1, codes1, taps);
    sums.two_taps<0, Cell, 2 * kLanes>(codes2, codes2, taps);
    sums.tap<2 * Cell, 4 * kLanes>(codes2, taps);
  } else {
    for (std::int32_t y = 0; y < window.kernel_h; ++y, codes += row) {
      const std::int8_t* code = codes;
      std::int32_t x = 2;
      for (; x <= window.kernel_w; x += 2, code += 2 * Cell, taps += 2 * kLanes) {
        sums.two_taps<0, Cell, 0>(code, code, taps);
      }
      if (x - window.kernel_w == 1) {
        sums.tap<0, 0>(code, taps);
        taps += kLanes;
      }
    }
  }
}

// Codes of vector `Number`, in the upper bytes.
template <int Number>
inline int32x4_t code_of(int32x4_t sum, const Lanes& lanes, std::int32_t zero_point) {
  int32x4_t factor;
  asm volatile(
      "vldrw.32 %q[factor], [%[lanes], #%c[multiplier]]\n\t"
      "vqrdmulh.s32 %q[factor], %q[sum], %q[factor]\n\t"
      "vshr.s32 %q[sum], %q[sum], #31\n\t"
      "vadd.i32 %q[sum], %q[sum], %q[factor]\n\t"
      "vldrw.32 %q[factor], [%[lanes], #%c[shift]]\n\t"
      "vrshl.s32 %q[sum], %q[sum], %q[factor]\n\t"
      "vadd.i32 %q[sum], %q[sum], %[zero]\n\t"
      "vqshl.s32 %q[sum], %q[sum], #24"
      : [sum] "+w"(sum), [factor] "=&w"(factor)
      : [lanes] "r"(&lanes), [zero] "r"(zero_point),
        [multiplier] "i"(offsetof(Lanes, multipliers) + 16 * Number),
        [shift] "i"(offsetof(Lanes, shifts) + 16 * Number)
      : "memory");
  return sum;
}

// `count` pixels of one row, from copied codes. A cell of 8 channels gives two pixels at a time.
template <std::int32_t Cell, std::int32_t Size>
TINYML_KERNEL void row_of(const DepthwiseConv2DInt8& op, const std::int8_t* codes, std::int32_t row,
                          const Lanes& lanes, std::int32_t count, std::int8_t* output) {
  constexpr std::int32_t kPixels = kLanes / Cell;
  const Window& window = op.window;
  const std::int32_t channels = window.output.channels;
  const std::int32_t step = kPixels * window.stride_w * Cell;
  const std::int8_t* table = op.to.table;
  const std::int32_t zero_point = op.to.output_zero_point;
  for (std::int32_t left = count; left > 0; left -= kPixels) {
    Sums sums = {vld1q_s32(lanes.bias[0]), vld1q_s32(lanes.bias[1]), vld1q_s32(lanes.bias[2]),
                 vld1q_s32(lanes.bias[3])};
    window_sums<Cell, Size>(window, codes, row, lanes.taps[0], sums);
    int32x4_t packed = code_of<3>(sums.s3, lanes, zero_point);
    packed = vsriq_n_s32(packed, code_of<2>(sums.s2, lanes, zero_point), 8);
    packed = vsriq_n_s32(packed, code_of<1>(sums.s1, lanes, zero_point), 16);
    packed = vsriq_n_s32(packed, code_of<0>(sums.s0, lanes, zero_point), 24);
    int8x16_t result = vreinterpretq_s8_s32(packed);
    if (table != nullptr) {
      const auto index = vaddq_n_u8(vreinterpretq_u8_s8(result), 128);
      result = vldrbq_gather_offset_s8(table, index);
    }
    const std::int32_t present = left * channels;
    vstrbq_p_s8(output, result, vctp8q(static_cast<std::uint32_t>(Cell == 8 ? present : channels)));
    codes += step;
    output += kPixels * channels;
  }
}

}  // namespace depthwise_detail

TINYML_KERNEL void depthwise_conv_2d(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                     std::int8_t* output) {
  using namespace depthwise_detail;
  const Window& window = op.window;
  const std::int32_t channels = window.output.channels;
  const std::int32_t cell = channels == 8 && window.stride_w == 1 ? 8 : kLanes;
  const bool three = window.kernel_h == 3 && window.kernel_w == 3;
  const auto row_kernel = cell == 8 ? (three ? &row_of<8, 3> : &row_of<8, 0>)
                                    : (three ? &row_of<16, 3> : &row_of<16, 0>);
  // The last vector of the last row may reach beyond its cell.
  const std::int32_t most_columns = (kBufferBytes - kLanes) / (window.kernel_h * cell);
  const std::int32_t most_pixels = (most_columns - window.kernel_w) / window.stride_w + 1;
  const std::int32_t run = run_of(window, input, output);
  std::int8_t buffer[kBufferBytes];
  Lanes lanes;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0, pixels = 0; x < window.output.width; x += pixels) {
      const std::int32_t left = window.output.width - x, rest = run - x % run;
      pixels = clamp(rest < left ? rest : left, 0, most_pixels);
      const Columns columns = {x * window.stride_w - window.pad_left,
                               (pixels - 1) * window.stride_w + window.kernel_w};
      for (std::int32_t c = 0; c < channels; c += kLanes) {
        const std::int32_t channel =
            c + kLanes > channels && channels >= kLanes ? channels - kLanes : c;
        gather(op, channel, cell, lanes);
        for (std::int32_t i = 0; i < window.kernel_h; ++i) {
          copy_row(window, input, y * window.stride_h - window.pad_top + i, columns, channel, cell,
                   op.to.input_zero_point, buffer + i * columns.count * cell);
        }
        row_kernel(op, buffer, columns.count * cell, lanes, pixels, output + channel);
      }
      output += pixels * channels;
    }
  }
}

}  // namespace tinyml
