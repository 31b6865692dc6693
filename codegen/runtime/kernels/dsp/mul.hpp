// MUL for SMLAD's cores. Included by the header of the same name one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace mul_detail {

struct Factors {
  dsp::Rescaling by;
  std::int32_t zero_point_a, zero_point_b;
};

// One run of codes; a function of its own, so that all of `factors` is in registers.
TINYML_KERNEL void multiply_run(const Factors& factors, const std::int8_t* a, const std::int8_t* b,
                                std::int8_t* output, std::int32_t count) {
  const dsp::Rescaling by = factors.by;
  const std::int32_t zero_a = factors.zero_point_a, zero_b = factors.zero_point_b;
  const auto code = [by](std::int32_t product) {
    return static_cast<std::int8_t>(dsp::saturate(dsp::rescale(product, by)));
  };
  const dsp::Word minus_a = dsp::pair(-zero_a, -zero_a), minus_b = dsp::pair(-zero_b, -zero_b);
  for (; count >= 4; count -= 4, a += 4, b += 4, output += 4) {
    const dsp::Word a0123 = dsp::load(a), b0123 = dsp::load(b);
    const dsp::Word a02 = dsp::add_even(minus_a, a0123), b02 = dsp::add_even(minus_b, b0123);
    const dsp::Word a13 = dsp::add_odd(minus_a, a0123), b13 = dsp::add_odd(minus_b, b0123);
    output[0] = code(dsp::multiply_low(a02, b02));
    output[1] = code(dsp::multiply_low(a13, b13));
    output[2] = code(dsp::multiply_high(a02, b02));
    output[3] = code(dsp::multiply_high(a13, b13));
  }
  for (; count > 0; --count) *output++ = code((*a++ - zero_a) * (*b++ - zero_b));
}

}  // namespace mul_detail

TINYML_KERNEL void mul(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  const mul_detail::Factors factors{dsp::rescaling(op.multiplier, -op.exponent, op.zero_point),
                                    op.zero_point_a, op.zero_point_b};
  for_each_row(
      op.broadcast, a, b, output,
      [&factors](const std::int8_t* x, const std::int8_t* y, std::int8_t* to, std::int32_t count) {
        mul_detail::multiply_run(factors, x, y, to, count);
      });
}

}  // namespace tinyml
