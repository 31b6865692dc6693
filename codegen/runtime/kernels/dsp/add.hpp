// ADD for SMLAD. Included by the header of the same name one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace add_detail {

// Exactly a half: the multiplier is 2^31 with one right shift, where that does not round.
inline dsp::Rescaling operand_rescaling(std::int32_t multiplier, std::int32_t exponent) {
  return exponent == 0 ? dsp::Rescaling{0, 1 << 1, 1} : dsp::rescaling(multiplier, -exponent, 0);
}

}  // namespace add_detail

TINYML_KERNEL void add(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  constexpr std::int32_t kHeadroom = 1 << 20;
  const dsp::Rescaling by_a = add_detail::operand_rescaling(op.multiplier_a, op.exponent_a);
  const dsp::Rescaling by_b = add_detail::operand_rescaling(op.multiplier_b, op.exponent_b);
  const dsp::Rescaling by = dsp::rescaling(op.multiplier, -op.exponent, op.zero_point);
  const std::int32_t zero_a = op.zero_point_a * kHeadroom, zero_b = op.zero_point_b * kHeadroom;
  for_each_row(op.broadcast, a, b, output,
               [&](const std::int8_t* x, const std::int8_t* y, std::int8_t* to, std::int32_t n) {
                 for (const std::int8_t* end = to + n; to != end; ++to) {
                   const std::int32_t scaled_x = dsp::rescale(*x++ * kHeadroom - zero_a, by_a);
                   const std::int32_t scaled_y = dsp::rescale(*y++ * kHeadroom - zero_b, by_b);
                   const std::int32_t sum = dsp::rescale(scaled_x + scaled_y, by);
                   *to = static_cast<std::int8_t>(dsp::saturate(sum));
                 }
               });
}

}  // namespace tinyml
