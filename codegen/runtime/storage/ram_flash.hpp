#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tinyml {

/// A flash memory in RAM, for tests on a computer: NOR semantics, counts, and power cuts.
///
/// Operations (one erasure or one programmed unit each) are numbered from 0. At operation `cut_at`
/// the power fails: as `cut` says, before anything happens, or in the middle, which leaves a unit
/// with some of its bits cleared, or a sector with arbitrary content. From then on nothing is
/// written, and every operation fails.
template <std::size_t kWrite, std::size_t kErase, std::size_t kSlot>
class RamFlash {
 public:
  static constexpr std::size_t kWriteBytes = kWrite;
  static constexpr std::size_t kEraseBytes = kErase;
  static constexpr std::size_t kSlotBytes = kSlot;
  static constexpr std::size_t kBytes = 2 * kSlot;

  enum class Cut : std::uint8_t { kBefore, kTorn };

  /// `content` is the memory, `kBytes` long, which outlives the power cut.
  explicit RamFlash(std::uint8_t* content) : content_(content) {}

  void cut_power(int operation, Cut cut, std::uint32_t seed) {
    cut_at_ = operation;
    cut_ = cut;
    random_ = seed | 1U;
  }

  bool erase(std::size_t offset) {
    if (offset % kErase != 0 || offset >= kBytes) return misuse();
    if (!powered()) {
      if (torn_now()) {
        for (std::size_t i = 0; i < kErase; ++i) content_[offset + i] = random_byte();
      }
      return false;
    }
    std::memset(content_ + offset, 0xFF, kErase);
    ++erasures;
    return true;
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    if (offset % kWrite != 0 || offset >= kBytes) return misuse();
    std::uint8_t* const at = content_ + offset;
    for (std::size_t i = 0; i < kWrite; ++i) {
      if (at[i] != 0xFF && !dead_) return misuse();  // memories with ECC allow one write only
    }
    if (!powered()) {
      if (torn_now()) {
        for (std::size_t i = 0; i < kWrite; ++i) {
          at[i] = static_cast<std::uint8_t>(at[i] & (data[i] | random_byte()));
        }
      }
      return false;
    }
    for (std::size_t i = 0; i < kWrite; ++i) at[i] = static_cast<std::uint8_t>(at[i] & data[i]);
    ++programs;
    return true;
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    if (offset > kBytes || bytes > kBytes - offset) {
      misuse();
      return;
    }
    std::memcpy(out, content_ + offset, bytes);
  }

  int erasures = 0;
  int programs = 0;
  int misuses = 0;  ///< Unaligned, outside, or programmed without having been erased.

 private:
  bool misuse() {
    ++misuses;
    return false;
  }

  /// Whether this operation is carried out; counts it.
  bool powered() {
    const bool now = !dead_ && operation_++ == cut_at_;
    torn_ = now && cut_ == Cut::kTorn;
    if (now) dead_ = true;
    return !dead_;
  }

  bool torn_now() const { return torn_; }

  std::uint8_t random_byte() {  // xorshift32 (Marsaglia 2003)
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 17U;
    random_ ^= random_ << 5U;
    return static_cast<std::uint8_t>(random_ >> 11U);
  }

  std::uint8_t* content_;
  int operation_ = 0;
  int cut_at_ = -1;
  Cut cut_ = Cut::kBefore;
  bool dead_ = false;
  bool torn_ = false;
  std::uint32_t random_ = 1;
};

}  // namespace tinyml
