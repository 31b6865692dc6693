// PAD: an image copied into a larger one that is filled with one value.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

template <typename Element>
struct Pad {
  Shape input, output;
  std::int16_t top, left, front;  // rows, columns and channels before the image
  Element value;
};

using PadInt8 = Pad<std::int8_t>;
using PadFloat = Pad<float>;

template <typename Element>
TINYML_KERNEL void pad(const Pad<Element>& op, const Element* input, Element* output) {
  for (std::int32_t y = -op.top; y < op.output.height - op.top; ++y) {
    for (std::int32_t x = -op.left; x < op.output.width - op.left; ++x) {
      const bool pixel = y >= 0 && y < op.input.height && x >= 0 && x < op.input.width;
      for (std::int32_t c = -op.front; c < op.output.channels - op.front; ++c) {
        *output++ = pixel && c >= 0 && c < op.input.channels ? *input++ : op.value;
      }
    }
  }
}

}  // namespace tinyml
