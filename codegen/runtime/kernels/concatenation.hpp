// CONCATENATION: in turn one row of each input, a row being all that lies behind the joined axis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>

#include "runtime/kernels/common.hpp"

namespace tinyml {

template <int kInputs>
struct Concatenation {
  std::int32_t rows;
  std::int32_t row_bytes[kInputs];
};

// The last pointer is the output.
template <int kInputs, typename... Pointers>
TINYML_KERNEL void concatenation(const Concatenation<kInputs>& op, Pointers... pointers) {
  static_assert(sizeof...(Pointers) == kInputs + 1, "inputs and one output");
  const void* const inputs[] = {pointers...};
  auto* output = reinterpret_cast<unsigned char*>(std::get<kInputs>(std::tuple(pointers...)));
  for (std::int32_t row = 0; row < op.rows; ++row) {
    for (int i = 0; i < kInputs; ++i) {
      const auto bytes = static_cast<std::size_t>(op.row_bytes[i]);
      const auto* source = static_cast<const unsigned char*>(inputs[i]);
      std::memcpy(output, source + static_cast<std::size_t>(row) * bytes, bytes);
      output += bytes;
    }
  }
}

}  // namespace tinyml
