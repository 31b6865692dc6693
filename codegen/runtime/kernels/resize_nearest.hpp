// RESIZE_NEAREST_NEIGHBOR: pixels copied from rows and columns that were chosen on the host.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct ResizeNearest {
  Shape input, output;
  const std::int16_t* rows;     // of the input, one for each row of the output
  const std::int16_t* columns;  // the same
};

using ResizeNearestInt8 = ResizeNearest;
using ResizeNearestFloat = ResizeNearest;

template <typename Element>
TINYML_KERNEL void resize_nearest(const ResizeNearest& op, const Element* input, Element* output) {
  const std::int32_t depth = op.input.channels;
  for (std::int32_t y = 0; y < op.output.height; ++y) {
    const Element* row = input + op.rows[y] * op.input.width * depth;
    for (std::int32_t x = 0; x < op.output.width; ++x) {
      const Element* pixel = row + op.columns[x] * depth;
      for (std::int32_t channel = 0; channel < depth; ++channel) {
        *output++ = pixel[channel];
      }
    }
  }
}

}  // namespace tinyml
