#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/crc32.hpp"
#include "runtime/link/cobs.hpp"
#include "runtime/link/messages.hpp"

namespace tinyml {

/// Sends replies to the serial port as they are written, of any length.
class FrameWriter {
 public:
  void begin(std::uint8_t message, std::uint32_t session, std::uint32_t sequence);
  /// A frame whose header is the caller's to put.
  void begin() { crc_ = Crc32(); }
  void put(const void* data, std::size_t bytes);
  /// A number as it lies in memory, which is little-endian.
  template <typename Number>
  void put(Number value) {
    put(&value, sizeof(value));
  }
  void end();

 private:
  struct ToPort {
    void operator()(std::uint8_t byte) const;
  };

  Crc32 crc_;
  CobsEncoder<ToPort> encoder_{ToPort()};
};

}  // namespace tinyml
