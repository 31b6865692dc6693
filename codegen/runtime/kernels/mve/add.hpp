// ADD for MVE.
#pragma once

#include "runtime/kernels/mve/elementwise.hpp"
#include "runtime/kernels/mve/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace add_detail {

// The operand with the larger scale is halved, which is exact: (code - zero point) * 2^19.
struct Halved {
  std::int16_t zero_point;
};

// The other one is multiplied by 2^20, or by 2^21 if it is halved as well, and rescaled.
struct Rescaled {
  std::int16_t zero_point;
  std::int32_t left;  // the shift, less 14
  std::int32_t multiplier, summand, right;
};

inline bool halves(std::int32_t exponent) { return exponent == 0; }

inline Rescaled rescaled(std::int32_t zero_point, std::int32_t multiplier, std::int32_t exponent) {
  const std::int32_t right = halves(exponent) ? 1 : -exponent;
  return {static_cast<std::int16_t>(zero_point), halves(exponent) ? 7 : 6, multiplier,
          std::int32_t{1} << (right - 1), -right};
}

inline int32x4_t rescale(int32x4_t x, const Rescaled& by) {
  const int32x4_t summand = vaddq_n_s32(vshrq_n_s32(x, 31), by.summand);
  return vshlq_r_s32(vqrdmlahq_n_s32(summand, x, by.multiplier), by.right);
}

}  // namespace add_detail

TINYML_KERNEL void add(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  using namespace add_detail;
  Broadcast loops = op.broadcast;
  Halved halved = {op.zero_point_a};
  Rescaled other = rescaled(op.zero_point_b, op.multiplier_b, op.exponent_b);
  if (!halves(op.exponent_a)) {
    const std::int8_t* first = a;
    a = b, b = first;
    halved.zero_point = op.zero_point_b;
    other = rescaled(op.zero_point_a, op.multiplier_a, op.exponent_a);
    for (int i = 0; i < 3; ++i) {
      loops.step_a[i] = op.broadcast.step_b[i];
      loops.step_b[i] = op.broadcast.step_a[i];
    }
  }
  const mve::Rescaling by = mve::rescaling(op.multiplier, -op.exponent, op.zero_point);
  mve::for_each_16(loops, a, b, output, [&by, &halved, &other](int8x16_t x, int8x16_t y) {
    const int16x8_t even_x = vshlq_n_s16(vsubq_n_s16(vmovlbq_s8(x), halved.zero_point), 6);
    const int16x8_t odd_x = vshlq_n_s16(vsubq_n_s16(vmovltq_s8(x), halved.zero_point), 6);
    const int16x8_t even_y = vshlq_r_s16(vsubq_n_s16(vmovlbq_s8(y), other.zero_point), other.left);
    const int16x8_t odd_y = vshlq_r_s16(vsubq_n_s16(vmovltq_s8(y), other.zero_point), other.left);
    const auto sum = [&by, &other](int32x4_t p, int32x4_t q) {
      return mve::rescale(vaddq_s32(p, rescale(q, other)), by);
    };
    return mve::pack(sum(vshllbq_n_s16(even_x, 13), vshllbq_n_s16(even_y, 14)),
                     sum(vshllbq_n_s16(odd_x, 13), vshllbq_n_s16(odd_y, 14)),
                     sum(vshlltq_n_s16(even_x, 13), vshlltq_n_s16(even_y, 14)),
                     sum(vshlltq_n_s16(odd_x, 13), vshlltq_n_s16(odd_y, 14)));
  });
}

}  // namespace tinyml
