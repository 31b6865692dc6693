// MUL for SMLAD. Included by the header of the same name one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

TINYML_KERNEL void mul(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  const dsp::Rescaling by = dsp::rescaling(op.multiplier, -op.exponent, op.zero_point);
  const auto code = [&by](std::int32_t product) {
    return static_cast<std::int8_t>(dsp::saturate(dsp::rescale(product, by)));
  };
  const dsp::Word minus_a = dsp::pair(-op.zero_point_a, -op.zero_point_a);
  const dsp::Word minus_b = dsp::pair(-op.zero_point_b, -op.zero_point_b);
  for_each_row(op.broadcast, a, b, output,
               [&](const std::int8_t* x, const std::int8_t* y, std::int8_t* to, std::int32_t n) {
                 for (; n >= 4; n -= 4, x += 4, y += 4, to += 4) {
                   const dsp::Word xs = dsp::load(x), ys = dsp::load(y);
                   const dsp::Word x02 = dsp::add_even(minus_a, xs),
                                   y02 = dsp::add_even(minus_b, ys);
                   const dsp::Word x13 = dsp::add_odd(minus_a, xs), y13 = dsp::add_odd(minus_b, ys);
                   to[0] = code(dsp::multiply_low(x02, y02));
                   to[1] = code(dsp::multiply_low(x13, y13));
                   to[2] = code(dsp::multiply_high(x02, y02));
                   to[3] = code(dsp::multiply_high(x13, y13));
                 }
                 for (; n > 0; --n) {
                   *to++ = code((*x++ - op.zero_point_a) * (*y++ - op.zero_point_b));
                 }
               });
}

}  // namespace tinyml
