// MUL: the product of the centred codes, scaled once.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

struct MulFloat {
  Broadcast broadcast;
  float low, high;
};

TINYML_KERNEL void mul_any(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                           std::int8_t* output) {
  for_each_pair(op.broadcast, a, b, output, [&op](std::int32_t x, std::int32_t y) {
    const std::int32_t product = (x - op.zero_point_a) * (y - op.zero_point_b);
    const std::int32_t scaled = rescale(product, op.multiplier, op.exponent);
    return static_cast<std::int8_t>(clamp(wrapping_add(scaled, op.zero_point), op.low, op.high));
  });
}

TINYML_KERNEL void mul(const MulFloat& op, const float* a, const float* b, float* output) {
  for_each_pair(op.broadcast, a, b, output,
                [&op](float x, float y) { return clamp(x * y, op.low, op.high); });
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/mul.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/mul.hpp"
#else
namespace tinyml {

inline void mul(const MulInt8& op, const std::int8_t* a, const std::int8_t* b,
                std::int8_t* output) {
  mul_any(op, a, b, output);
}

}  // namespace tinyml
#endif
