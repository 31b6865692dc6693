// ADD for MVE.
#pragma once

#include "runtime/kernels/params.hpp"

namespace tinyml {

inline void add(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                std::int8_t* output) {
  add_any(op, a, b, output);
}

}  // namespace tinyml
