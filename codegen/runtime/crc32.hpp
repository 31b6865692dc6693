#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyml {

/// A template, so that C++14, which Arduino compiles, has its one definition in a header too.
template <typename Number>
struct Crc32Table {
  static constexpr Number kTable[16] = {0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU,
                                        0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
                                        0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU,
                                        0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU};
};
template <typename Number>
// NOLINTNEXTLINE(readability-redundant-declaration): in C++14 it is the definition
constexpr Number Crc32Table<Number>::kTable[16];

/// CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320), as zlib.crc32 computes it. Four bits at
/// a time: a table of 64 bytes instead of 1024.
class Crc32 : Crc32Table<std::uint32_t> {
 public:
  /// `value()` after a message that ends with its own CRC, least significant byte first.
  static constexpr std::uint32_t kResidue = 0x2144DF1CU;

  void add(std::uint8_t byte) {
    state_ = (state_ >> 4U) ^ kTable[(state_ ^ byte) & 15U];
    state_ = (state_ >> 4U) ^ kTable[(state_ ^ (byte >> 4U)) & 15U];
  }
  void add(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const std::uint8_t*>(data);
    for (std::size_t i = 0; i < bytes; ++i) add(at[i]);
  }

  std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xFFFFFFFFU;
};

}  // namespace tinyml
