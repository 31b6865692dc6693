// From the accumulators of a convolution to int8 codes, per output channel.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct Requantization {
  const std::int32_t* bias;  // the input's zero point is folded in
  const std::int32_t* multipliers;
  const std::int8_t* exponents;
  const std::int8_t* table;  // an activation by code, or null
  std::int8_t input_zero_point;
  std::int8_t output_zero_point;
  std::int8_t low, high;
};

inline std::int8_t requantize(const Requantization& to, std::int32_t channel,
                              std::int32_t accumulator) {
  const std::int32_t scaled = rescale(wrapping_add(accumulator, to.bias[channel]),
                                      to.multipliers[channel], to.exponents[channel]);
  const std::int32_t code = clamp(wrapping_add(scaled, to.output_zero_point), to.low, to.high);
  return to.table != nullptr ? to.table[code + 128] : static_cast<std::int8_t>(code);
}

}  // namespace tinyml
