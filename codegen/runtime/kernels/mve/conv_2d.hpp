// CONV_2D for MVE.
#pragma once

#include "runtime/kernels/params.hpp"

namespace tinyml {

inline void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  conv_2d_any(op, input, output);
}

}  // namespace tinyml
