// SUB: as ADD, with a difference in place of the sum.
#pragma once

#include <cstdint>

#include "runtime/kernels/add.hpp"

namespace tinyml {

TINYML_KERNEL void sub(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* output) {
  add_detail::rescaled(op, a, b, output, [](std::int32_t x, std::int32_t y) { return x - y; });
}

TINYML_KERNEL void sub(const AddFloat& op, const float* a, const float* b, float* output) {
  for_each_pair(op.broadcast, a, b, output,
                [&op](float x, float y) { return clamp(x - y, op.low, op.high); });
}

}  // namespace tinyml
