// REDUCE_MAX over the pixels of an NHWC image.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct ReduceMax {
  std::int32_t area, channels;
};

template <typename Element>
TINYML_KERNEL void reduce_max(const ReduceMax& op, const Element* input, Element* output) {
  for (std::int32_t c = 0; c < op.channels; ++c) output[c] = input[c];
  for (std::int32_t pixel = 1; pixel < op.area; ++pixel) {
    input += op.channels;
    for (std::int32_t c = 0; c < op.channels; ++c) {
      if (input[c] > output[c]) output[c] = input[c];
    }
  }
}

}  // namespace tinyml
