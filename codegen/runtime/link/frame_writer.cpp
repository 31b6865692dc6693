#include "runtime/link/frame_writer.hpp"

#include "runtime/serial/port.hpp"

namespace tinyml {

void FrameWriter::ToPort::operator()(std::uint8_t byte) const { tinyml_uart_write(byte); }

void FrameWriter::begin(std::uint8_t message, std::uint32_t session, std::uint32_t sequence) {
  begin();
  put(kProtocolVersion);
  put(message);
  put(session);
  put(sequence);
}

void FrameWriter::put(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::uint8_t*>(data);
  for (std::size_t i = 0; i < bytes; ++i) {
    crc_.add(at[i]);
    encoder_.put(at[i]);
  }
}

void FrameWriter::end() {
  put(crc_.value());
  encoder_.end();
}

}  // namespace tinyml
