#pragma once

#include <cstdint>

namespace tinyml {

/// Random numbers that are the same on every machine: xorshift32 (Marsaglia 2003).
class Random {
 public:
  void restart() { state_ = 2463534242U; }

  /// Of 0 .. `bound` - 1, for a bound of at least 1.
  std::uint32_t below(std::uint32_t bound) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(state_) * bound) >> 32U);
  }

 private:
  std::uint32_t state_ = 2463534242U;
};

/// One more, as far as 32 bits count.
inline std::uint32_t one_more(std::uint32_t count) {
  return count < 0xFFFFFFFFU ? count + 1 : count;
}

}  // namespace tinyml
