// MEAN for MVE.
#pragma once

#include "runtime/kernels/mve/elementwise.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/mve/sums.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

TINYML_KERNEL void mean(const MeanInt8& op, const std::int8_t* input, std::int8_t* output) {
  constexpr std::int32_t kLargestArea = 1 << 20;  // sums are below 2^30
  if (op.exponent > -1 || op.exponent < -23 || op.area > kLargestArea) {
    return mean_any(op, input, output);
  }
  const mve::Rescaling by = mve::rescaling(op.multiplier, -op.exponent, op.zero_point);
  for (std::int32_t channel = 0; channel < op.channels; channel += 16) {
    const mve_pred16_t present = vctp8q(static_cast<std::uint32_t>(op.channels - channel));
    const std::int8_t* codes = input + channel;
    int32x4_t sums[4];
    for (int32x4_t& sum : sums) sum = vdupq_n_s32(op.offset);
    for (std::int32_t left = op.area; left > 0; left -= mve::kMostCodes) {
      const std::int32_t count = left < mve::kMostCodes ? left : mve::kMostCodes;
      mve::CodeSums part = {vdupq_n_s16(0), vdupq_n_s16(0)};
      mve::add(codes, count, op.channels, present, part);
      sums[0] = vaddq_s32(sums[0], vmovlbq_s16(part.even));
      sums[1] = vaddq_s32(sums[1], vmovlbq_s16(part.odd));
      sums[2] = vaddq_s32(sums[2], vmovltq_s16(part.even));
      sums[3] = vaddq_s32(sums[3], vmovltq_s16(part.odd));
      codes += count * op.channels;
    }
    const int8x16_t code = mve::pack(mve::rescale(sums[0], by), mve::rescale(sums[1], by),
                                     mve::rescale(sums[2], by), mve::rescale(sums[3], by));
    vstrbq_p_s8(output + channel, code, present);
  }
}

}  // namespace tinyml
