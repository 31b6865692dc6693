// From the accumulators of a convolution to int8 codes, per output channel.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

inline std::int8_t requantize(const Requantization& to, std::int32_t channel,
                              std::int32_t accumulator) {
  const std::int32_t scaled = rescale(wrapping_add(accumulator, to.scales[2 * channel]),
                                      to.scales[2 * channel + 1], -to.shifts[channel]);
  const std::int32_t code = clamp(wrapping_add(scaled, to.output_zero_point), to.low, to.high);
  return to.table != nullptr ? to.table[code + 128] : static_cast<std::int8_t>(code);
}

}  // namespace tinyml
