// Sums of the codes of four neighbouring channels, in 16 bits each.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"

namespace tinyml {
namespace dsp {

constexpr std::int32_t kMostSummands = 256;  // of -128 to 127, for a sum of 16 bits

struct FourSums {
  Word even = 0, odd = 0;  // channels 0 and 2, 1 and 3

  std::int32_t operator[](std::int32_t channel) const {
    const Word word = channel % 2 == 0 ? even : odd;
    return channel < 2 ? low_half(word) : high_half(word);
  }
};

// Adds `count` words of codes, `step` bytes apart; the address behind them.
inline const std::int8_t* sum_codes(const std::int8_t* codes, std::int32_t step, std::int32_t count,
                                    FourSums& sums) {
#pragma GCC unroll 4
  for (; count > 0; --count, codes += step) {
    const Word word = load(codes);
    sums.even = add_even(sums.even, word);
    sums.odd = add_odd(sums.odd, word);
  }
  return codes;
}

}  // namespace dsp
}  // namespace tinyml
