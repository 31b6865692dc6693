// MEAN for MVE.
#pragma once

#include "runtime/kernels/params.hpp"

namespace tinyml {

inline void mean(const MeanInt8& op, const std::int8_t* input, std::int8_t* output) {
  mean_any(op, input, output);
}

}  // namespace tinyml
