// LOOKUP: a function of one int8 code, by a table that was computed when the code was generated.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"

namespace tinyml {

struct LookupInt8 {
  const std::int8_t* table;  // 256 codes, that of -128 first
  std::int32_t count;
};

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/lookup.hpp"

namespace tinyml {

TINYML_KERNEL void lookup(const LookupInt8& op, const std::int8_t* input, std::int8_t* output) {
  mve::look_up(op.table, op.count, input, output);
}

}  // namespace tinyml
#else
namespace tinyml {

TINYML_KERNEL void lookup(const LookupInt8& op, const std::int8_t* input, std::int8_t* output) {
  const std::int8_t* table = op.table + 128;
#pragma GCC unroll 4
  for (std::int32_t i = 0; i < op.count; ++i) {
    output[i] = table[input[i]];
  }
}

}  // namespace tinyml
#endif
