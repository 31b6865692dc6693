#pragma once

// What a learner takes and keeps, so that everything that it computes is finite, for ever.
//
// Features x lie within 1e6 (int8 codes as they are and times their scale), the learning rate is at
// most 1e6, and the gradient of the loss in a logit at most 4 (1 for cross entropy, 2 for the
// squared error, and what rounding adds): a step moves a weight by at most 4e12. Floats near 1e24
// are 7e16 apart, so a step does not carry a weight over 1e24: it is rounded away. With weights
// within 1e24 the logits of F features lie within (1e6 F + 1) 1e24, which is finite for F up to
// 1e7. And with nothing infinite there is no infinity to subtract or to multiply by zero: no NaN
// arises either.
//
// So what lies outside is refused before anything is changed, and no second copy of the head is
// needed to go back to.

#include <cstdint>
#include <cstring>
#include <limits>

namespace tinyml {

constexpr float kMostFeature = 1e6F;
// Normal: not rounded to few bits. In parentheses, as programs may define min and max.
constexpr float kLeastRate = (std::numeric_limits<float>::min)();
constexpr float kMostRate = 1e6F;
constexpr float kMostWeight = 1e24F;
constexpr int kMostFeatures = 10'000'000;
constexpr float kMostFinite = (std::numeric_limits<float>::max)();

/// The magnitude of a float as an integer in the same order; infinities and NaNs are the largest.
inline std::int32_t magnitude_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<std::int32_t>(bits & 0x7FFFFFFFU);
}

/// Whether all `count` values lie in -most..most. A NaN does not.
inline bool all_within(const float* values, int count, float most) {
  const std::int32_t limit = magnitude_bits(most);
  std::int32_t outside = 0;  // negative once a magnitude was above the limit
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i) outside |= limit - magnitude_bits(values[i]);
  return outside >= 0;
}

/// Codes always do.
inline bool all_within(const std::int8_t* /*codes*/, int /*count*/, float /*most*/) { return true; }

}  // namespace tinyml
