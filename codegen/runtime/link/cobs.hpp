#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyml {

/// Consistent Overhead Byte Stuffing (Cheshire and Baker 1999), decoded byte by byte as it
/// arrives: a zero byte ends a frame and occurs nowhere else.
class CobsDecoder {
 public:
  enum class Result : std::uint8_t { kNothing, kByte, kEnd, kBroken };

  /// Takes one received byte. kByte: `out` is the next byte of the frame. kEnd: the frame is
  /// complete. kBroken: it ended inside a block.
  Result feed(std::uint8_t received, std::uint8_t& out) {
    if (received == 0) {
      const bool whole = left_ == 0;
      *this = CobsDecoder();
      return whole ? Result::kEnd : Result::kBroken;
    }
    if (left_ > 0) {
      --left_;
      out = received;
      return Result::kByte;
    }
    // The length of a block. Between two blocks stands a zero, except after a longest one.
    const bool zero = zero_follows_;
    left_ = static_cast<std::uint8_t>(received - 1);
    zero_follows_ = received != 0xFF;
    out = 0;
    return zero ? Result::kByte : Result::kNothing;
  }

 private:
  std::uint8_t left_ = 0;  ///< Bytes until the next block.
  bool zero_follows_ = false;
};

/// The same, encoded. `Write` is a function object that takes a byte. A block must be known to its
/// end before its first byte is sent: at most 254 bytes are held back.
template <typename Write>
class CobsEncoder {
 public:
  explicit CobsEncoder(Write write) : write_(write) {}

  void put(std::uint8_t byte) {
    if (byte != 0) block_[count_++] = byte;
    if (byte == 0 || count_ == kLongest) {
      after_longest_ = byte != 0;
      flush();
    }
  }

  /// Sends what is left, and the zero that ends the frame.
  void end() {
    if (count_ > 0 || !after_longest_) flush();
    after_longest_ = false;
    write_(0);
  }

 private:
  static constexpr std::size_t kLongest = 254;

  void flush() {
    write_(static_cast<std::uint8_t>(count_ + 1));
    for (std::size_t i = 0; i < count_; ++i) write_(block_[i]);
    count_ = 0;
  }

  Write write_;
  bool after_longest_ = false;
  std::size_t count_ = 0;
  std::uint8_t block_[kLongest];
};

}  // namespace tinyml
