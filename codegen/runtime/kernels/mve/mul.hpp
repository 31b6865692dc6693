// MUL for MVE.
#pragma once

#include "runtime/kernels/mve/elementwise.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

TINYML_KERNEL void mul(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  const mve::Rescaling by = mve::rescaling(op.multiplier, -op.exponent, op.zero_point);
  const std::int16_t zero_a = op.zero_point_a, zero_b = op.zero_point_b;
  mve::for_each_16(op.broadcast, a, b, output, [&by, zero_a, zero_b](int8x16_t x, int8x16_t y) {
    const int16x8_t even_x = vsubq_n_s16(vmovlbq_s8(x), zero_a);
    const int16x8_t even_y = vsubq_n_s16(vmovlbq_s8(y), zero_b);
    const int16x8_t odd_x = vsubq_n_s16(vmovltq_s8(x), zero_a);
    const int16x8_t odd_y = vsubq_n_s16(vmovltq_s8(y), zero_b);
    return mve::pack(mve::rescale(vmullbq_int_s16(even_x, even_y), by),
                     mve::rescale(vmullbq_int_s16(odd_x, odd_y), by),
                     mve::rescale(vmulltq_int_s16(even_x, even_y), by),
                     mve::rescale(vmulltq_int_s16(odd_x, odd_y), by));
  });
}

}  // namespace tinyml
