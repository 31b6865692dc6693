// POOL_2D for MVE.
#pragma once

#include "runtime/kernels/params.hpp"

namespace tinyml {

inline void average_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  average_pool_2d_any(op, input, output);
}

inline void max_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  max_pool_2d_any(op, input, output);
}

}  // namespace tinyml
