// TensorFlow Lite's double rounding on four sums at a time, for factors of at most a half.
//
// With h = x * multiplier * 2^-31 to nearest and a right shift of at least 1, the code is
//   (h + (h < 0 ? -1 : 0) + 2^(shift - 1) >> shift) + zero_point,
// which rounds ties away from zero. x may stand for h in the comparison: they differ only for h =
// 0, where -1 changes nothing. 2^(shift - 1) and the zero point make one summand. The right shift
// is a saturating one to the left instead, which brings the code into the upper byte of its lane.
#pragma once

#include <arm_mve.h>

#include <cstdint>

namespace tinyml {
namespace mve {

// For sums that share their multiplier and shift.
struct Rescaling {
  std::int32_t multiplier;
  std::int32_t summand;
  std::int32_t up;  // to the left
};

inline Rescaling rescaling(std::int32_t multiplier, std::int32_t shift, std::int32_t zero_point) {
  const auto twice = static_cast<std::uint32_t>(2 * zero_point + 1) << shift;
  return {multiplier, static_cast<std::int32_t>(twice) >> 1, 24 - shift};
}

// The codes, saturated, in the upper bytes of the lanes.
inline int32x4_t rescale(int32x4_t x, const Rescaling& by) {
  const int32x4_t summand = vaddq_n_s32(vshrq_n_s32(x, 31), by.summand);
  return vqshlq_r_s32(vqrdmlahq_n_s32(summand, x, by.multiplier), by.up);
}

// The same with a multiplier and a shift, to the left if positive, for each lane.
inline int32x4_t rescale(int32x4_t x, int32x4_t multipliers, int32x4_t shifts,
                         std::int32_t zero_point) {
  const int32x4_t high = vaddq_s32(vqrdmulhq_s32(x, multipliers), vshrq_n_s32(x, 31));
  return vqshlq_n_s32(vaddq_n_s32(vrshlq_s32(high, shifts), zero_point), 24);
}

}  // namespace mve
}  // namespace tinyml
