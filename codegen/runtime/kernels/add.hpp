// ADD: both operands are brought to twice the larger scale, summed, and scaled to the output.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

struct AddFloat {
  Broadcast broadcast;
  float low, high;
};

namespace add_detail {

// `combine` makes one of both operands, which are brought to twice the larger scale: a sum in ADD,
// a difference in SUB.
template <typename Combine>
inline void rescaled(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                     std::int8_t* output, Combine combine) {
  constexpr std::int32_t kHeadroom = 1 << 20;
  for_each_pair(op.broadcast, a, b, output, [&op, combine](std::int32_t x, std::int32_t y) {
    const std::int32_t scaled_x =
        rescale((x - op.zero_point_a) * kHeadroom, op.multiplier_a, op.exponent_a);
    const std::int32_t scaled_y =
        rescale((y - op.zero_point_b) * kHeadroom, op.multiplier_b, op.exponent_b);
    const std::int32_t code = rescale(combine(scaled_x, scaled_y), op.multiplier, op.exponent);
    return static_cast<std::int8_t>(clamp(code + op.zero_point, op.low, op.high));
  });
}

}  // namespace add_detail

TINYML_KERNEL void add_any(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                           std::int8_t* output) {
  add_detail::rescaled(op, a, b, output, [](std::int32_t x, std::int32_t y) { return x + y; });
}

TINYML_KERNEL void add(const AddFloat& op, const float* a, const float* b, float* output) {
  for_each_pair(op.broadcast, a, b, output,
                [&op](float x, float y) { return clamp(x + y, op.low, op.high); });
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/add.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/add.hpp"
#else
namespace tinyml {

inline void add(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                std::int8_t* output) {
  add_any(op, a, b, output);
}

}  // namespace tinyml
#endif
