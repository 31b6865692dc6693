// ADD for SMLAD's cores. Included by the header of the same name one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace add_detail {

// The operand with the larger scale is halved, which is exact: 2^20 / 2 times the centred code.
struct Summands {
  dsp::Rescaling small, sum;
  std::int32_t zero_point_small, zero_point_large;
};

// One run of codes; a function of its own, so that most of `summands` is in registers.
TINYML_KERNEL void add_run(const Summands& summands, const std::int8_t* small,
                           const std::int8_t* large, std::int8_t* output, std::int32_t count) {
  constexpr std::int32_t kHeadroom = 1 << 20;
  const dsp::Rescaling by_small = summands.small, by = summands.sum;
  const std::int32_t zero_small = summands.zero_point_small * kHeadroom;
  const std::int32_t zero_large = summands.zero_point_large * (kHeadroom / 2);
#pragma GCC unroll 2
  for (const std::int8_t* end = output + count; output != end; ++output) {
    const std::int32_t scaled = dsp::rescale(*small++ * kHeadroom - zero_small, by_small);
    const std::int32_t sum = scaled + (*large++ * (kHeadroom / 2) - zero_large);
    *output = static_cast<std::int8_t>(dsp::saturate(dsp::rescale(sum, by)));
  }
}

}  // namespace add_detail

TINYML_KERNEL void add(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  const bool b_is_large = op.exponent_b == 0;
  const auto small = [](std::int32_t multiplier, std::int32_t exponent) {
    // Two equal scales: exactly a half again, written as 2^31 with one right shift.
    return exponent == 0 ? dsp::Rescaling{0, 1 << 1, 1} : dsp::rescaling(multiplier, -exponent, 0);
  };
  const dsp::Rescaling sum = dsp::rescaling(op.multiplier, -op.exponent, op.zero_point);
  const add_detail::Summands summands =
      b_is_large ? add_detail::Summands{small(op.multiplier_a, op.exponent_a), sum, op.zero_point_a,
                                        op.zero_point_b}
                 : add_detail::Summands{small(op.multiplier_b, op.exponent_b), sum, op.zero_point_b,
                                        op.zero_point_a};
  for_each_row(op.broadcast, a, b, output,
               [&summands, b_is_large](const std::int8_t* x, const std::int8_t* y, std::int8_t* to,
                                       std::int32_t count) {
                 add_detail::add_run(summands, b_is_large ? x : y, b_is_large ? y : x, to, count);
               });
}

}  // namespace tinyml
