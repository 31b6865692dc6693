// Sums of codes over pixels, for 16 channels at a time.
#pragma once

#include <arm_mve.h>

#include <cstdint>

namespace tinyml {
namespace mve {

constexpr std::int32_t kMostCodes = 256;  // whose sum has 16 bits

// Of the lanes 2 i (`even`) and 2 i + 1 (`odd`).
struct CodeSums {
  int16x8_t even, odd;
};

// Adds `count` codes of each channel, `step` bytes apart.
inline void add(const std::int8_t* codes, std::int32_t count, std::int32_t step,
                mve_pred16_t present, CodeSums& sums) {
  for (; count > 0; --count, codes += step) {
    const int8x16_t code = vldrbq_z_s8(codes, present);
    sums.even = vaddq_s16(sums.even, vmovlbq_s8(code));
    sums.odd = vaddq_s16(sums.odd, vmovltq_s8(code));
  }
}

}  // namespace mve
}  // namespace tinyml
