// POOL_2D for MVE.
#pragma once

#include "runtime/kernels/mve/elementwise.hpp"
#include "runtime/kernels/mve/sums.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace pool_detail {

// function(cells of the patch in the first 16 channels left, the predicate of these channels) for
// every pixel of the output and 16 channels. It gives the codes, which are clamped.
template <typename Function>
inline void for_each_16(const PoolInt8& op, const std::int8_t* input, std::int8_t* output,
                        Function function) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const int8x16_t low = vdupq_n_s8(op.low), high = vdupq_n_s8(op.high);
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x, output += depth) {
      const Patch patch = patch_at(window, y, x);
      const std::int8_t* cells =
          input + ((patch.top + patch.y0) * window.input.width + patch.left + patch.x0) * depth;
      for (std::int32_t channel = 0; channel < depth; channel += 16) {
        const mve_pred16_t present = vctp8q(static_cast<std::uint32_t>(depth - channel));
        const int8x16_t code = function(patch, cells + channel, present);
        vstrbq_p_s8(output + channel, vminq_s8(vmaxq_s8(code, low), high), present);
      }
    }
  }
}

// sum / count to nearest, ties away from zero, in the upper bytes. Division is by the reciprocal
// 2^31 / count, rounded up: the dividend, made positive, is below 2^16 and so is exact.
struct Average {
  std::int32_t summand;   // half of count, and 128 * count to be positive
  std::int32_t negative;  // what is added to negative sums: -1 if count is even
  std::uint32_t reciprocal;

  explicit Average(std::int32_t count)
      : summand(count / 2 + 128 * count),
        negative(count % 2 - 1),
        reciprocal(((std::uint32_t{1} << 31) - 1U) / static_cast<std::uint32_t>(count) + 1U) {}

  int32x4_t of(int32x4_t sum) const {
    const int32x4_t ties = vandq_s32(vshrq_n_s32(sum, 31), vdupq_n_s32(negative));
    const int32x4_t dividend = vaddq_n_s32(vaddq_s32(sum, ties), summand);
    const uint32x4_t twice = vreinterpretq_u32_s32(vshlq_n_s32(dividend, 1));
    const uint32x4_t quotient = vmulhq_u32(twice, vdupq_n_u32(reciprocal));
    return vshlq_n_s32(vreinterpretq_s32_u32(vsubq_n_u32(quotient, 128)), 24);
  }
};

}  // namespace pool_detail

TINYML_KERNEL void average_pool_2d(const PoolInt8& op, const std::int8_t* input,
                                   std::int8_t* output) {
  const std::int32_t depth = op.window.input.channels;
  const std::int32_t row = op.window.input.width * depth;
  const auto average = [row, depth](const Patch& patch, const std::int8_t* cells,
                                    mve_pred16_t present) {
    const std::int32_t width = patch.x1 - patch.x0;
    mve::CodeSums sums = {vdupq_n_s16(0), vdupq_n_s16(0)};
    for (std::int32_t y = patch.y0; y < patch.y1; ++y, cells += row) {
      mve::add(cells, width, depth, present, sums);
    }
    const pool_detail::Average by((patch.y1 - patch.y0) * width);
    return mve::pack(by.of(vmovlbq_s16(sums.even)), by.of(vmovlbq_s16(sums.odd)),
                     by.of(vmovltq_s16(sums.even)), by.of(vmovltq_s16(sums.odd)));
  };
  pool_detail::for_each_16(op, input, output, average);
}

TINYML_KERNEL void max_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  const std::int32_t depth = op.window.input.channels;
  const std::int32_t row = op.window.input.width * depth;
  const auto largest = [row, depth](const Patch& patch, const std::int8_t* cells,
                                    mve_pred16_t present) {
    int8x16_t best = vdupq_n_s8(-128);
    for (std::int32_t y = patch.y0; y < patch.y1; ++y, cells += row) {
      const std::int8_t* cell = cells;
      for (std::int32_t x = patch.x0; x < patch.x1; ++x, cell += depth) {
        best = vmaxq_s8(best, vldrbq_z_s8(cell, present));
      }
    }
    return best;
  };
  pool_detail::for_each_16(op, input, output, largest);
}

}  // namespace tinyml
