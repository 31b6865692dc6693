#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/crc32.hpp"
#include "runtime/link/cobs.hpp"
#include "runtime/link/messages.hpp"

namespace tinyml {

/// How the payload of a message is laid out: a few bytes of fields, then bulk data.
struct PayloadLayout {
  std::uint8_t field_bytes;  ///< At most `FrameReader::kMostFields`.
  std::uint32_t bulk_bytes;
};

/// Takes requests apart byte by byte as they arrive. Bulk data (an image) goes straight to where it
/// is needed, before its CRC is known: nothing may be done with it until the frame is whole. What
/// is longer than its message allows is counted and dropped.
class FrameReader {
 public:
  static constexpr std::size_t kMostFields = 8;

  enum class Result : std::uint8_t { kNothing, kFrame, kWrongVersion, kWrongLength, kBroken };

  /// `layout_of(Message)` tells a payload's layout; `bulk` has room for the longest bulk data.
  template <typename LayoutOf>
  Result feed(std::uint8_t received, LayoutOf layout_of, std::uint8_t* bulk) {
    std::uint8_t byte = 0;
    switch (decoder_.feed(received, byte)) {
      case CobsDecoder::Result::kNothing:
        return Result::kNothing;
      case CobsDecoder::Result::kByte:
        crc_.add(byte);
        store(byte, layout_of, bulk);
        return Result::kNothing;
      case CobsDecoder::Result::kEnd:
        return finish(layout_of);
      default:
        return restart(Result::kBroken);
    }
  }

  // Of the last frame.
  const std::uint8_t* header() const { return start_; }
  std::uint8_t number() const { return start_[1]; }
  Message message() const {  // may be none that has a name
    Message message = Message::kHello;
    std::memcpy(&message, start_ + 1, sizeof(message));
    return message;
  }
  std::uint32_t session() const { return number_at(2); }
  std::uint32_t sequence() const { return number_at(6); }
  const std::uint8_t* fields() const { return start_ + kFrameHeaderBytes; }
  /// The CRC that the frame carried: tells two requests with one sequence number apart.
  std::uint32_t crc() const { return last_crc_; }

 private:
  template <typename LayoutOf>
  void store(std::uint8_t byte, LayoutOf layout_of, std::uint8_t* bulk) {
    const std::uint32_t at = position_++;
    if (at < kFrameHeaderBytes) {
      start_[at] = byte;
      return;
    }
    last_crc_ = (last_crc_ >> 8U) | (static_cast<std::uint32_t>(byte) << 24U);
    const PayloadLayout layout = layout_of(message());
    std::uint32_t rest = at - static_cast<std::uint32_t>(kFrameHeaderBytes);
    if (rest < layout.field_bytes) {
      start_[at] = byte;
      return;
    }
    rest -= layout.field_bytes;
    if (rest < layout.bulk_bytes) bulk[rest] = byte;
  }

  template <typename LayoutOf>
  Result finish(LayoutOf layout_of) {
    if (position_ == 0) return Result::kNothing;  // zeros between frames
    if (crc_.value() != Crc32::kResidue || position_ < kFirstHeaderBytes + kFrameCrcBytes) {
      return restart(Result::kBroken);
    }
    if (start_[0] != kProtocolVersion) return restart(Result::kWrongVersion);
    if (position_ < kFrameHeaderBytes + kFrameCrcBytes) return restart(Result::kBroken);
    const PayloadLayout layout = layout_of(message());
    const std::size_t payload = position_ - kFrameHeaderBytes - kFrameCrcBytes;
    const bool fits = payload == layout.field_bytes + layout.bulk_bytes;
    return restart(fits ? Result::kFrame : Result::kWrongLength);
  }

  std::uint32_t number_at(std::size_t offset) const {
    std::uint32_t number = 0;
    std::memcpy(&number, start_ + offset, sizeof(number));
    return number;
  }

  Result restart(Result result) {
    position_ = 0;
    crc_ = Crc32();
    return result;
  }

  CobsDecoder decoder_;
  Crc32 crc_;
  std::uint32_t position_ = 0;
  std::uint32_t last_crc_ = 0;
  std::uint8_t start_[kFrameHeaderBytes + kMostFields] = {};
};

}  // namespace tinyml
