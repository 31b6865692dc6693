// TensorFlow Lite's double rounding in four instructions, for factors of at most a half.
//
// With h = x * multiplier * 2^-31 to nearest and a right shift of at least 1, the code is
//   (h + (h < 0 ? -1 : 0) + 2^(shift - 1) >> shift) + zero_point,
// which rounds ties away from zero. x may stand for h in the comparison: they differ only for h =
// 0, where -1 changes nothing. 2^(shift - 1) and the zero point make one summand, and the sum of
// summands is what SMMLAR adds to anyway.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace dsp {

struct Rescaling {
  std::int32_t doubled;  // 2 * multiplier - 2^32
  std::int32_t twice;    // (2 * zero point + 1) << shift
  std::int32_t shift;    // to the right
};

inline Rescaling rescaling(std::int32_t multiplier, std::int32_t shift, std::int32_t zero_point) {
  const auto bits = static_cast<Word>(2 * zero_point + 1) << shift;
  return {static_cast<std::int32_t>(static_cast<Word>(multiplier) << 1),
          static_cast<std::int32_t>(bits), shift};
}

// The code before it is saturated.
inline std::int32_t rescale(std::int32_t x, const Rescaling& by) {
  const auto bits = static_cast<Word>(x) + static_cast<Word>(by.twice >> 1);
  const auto summand = static_cast<std::int32_t>(bits + static_cast<Word>(x >> 31));
  return high_multiply_add(x, by.doubled, summand) >> by.shift;
}

// Whether all negative sums give -128, as behind a rectifier: h + 2^(shift - 1) >> shift is then at
// most 0 with and without the -1, which may be left out.
inline bool floors(const Requantization& to) {
  return to.table == nullptr && to.output_zero_point == -128;
}

}  // namespace dsp
}  // namespace tinyml
