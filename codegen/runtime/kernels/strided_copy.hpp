// TRANSPOSE, SLICE and STRIDED_SLICE: elements copied in the output's order from where they are.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

// Sizes of four nested loops, outermost first, and how far the source moves in each of them.
struct StridedCopy {
  std::int32_t size[4];
  std::int32_t step[4];
  std::int32_t start;  // the first element that is copied
};

template <typename Element>
TINYML_KERNEL void strided_copy(const StridedCopy& op, const Element* input, Element* output) {
  const std::int32_t count = op.size[3];
  const std::int32_t step = op.step[3];
  for (std::int32_t i = 0; i < op.size[0]; ++i) {
    for (std::int32_t j = 0; j < op.size[1]; ++j) {
      for (std::int32_t k = 0; k < op.size[2]; ++k, output += count) {
        const Element* row = input + op.start + i * op.step[0] + j * op.step[1] + k * op.step[2];
        for (std::int32_t n = 0; n < count; ++n) output[n] = row[n * step];
      }
    }
  }
}

}  // namespace tinyml
