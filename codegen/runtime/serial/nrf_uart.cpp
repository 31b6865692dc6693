// The UART of Nordic's nRF51 and nRF52 (nRF52840 Product Specification, "UART": the one without
// DMA, which both families have). TINYML_UART_BASE is its address, TINYML_UART_PINS the pins that
// send and receive. Run under QEMU on microbit.

#include "runtime/serial/port.hpp"

namespace {

volatile std::uint32_t& at(std::uint32_t offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(TINYML_UART_BASE + offset);
}

constexpr std::uint32_t kStartReceiver = 0x000;
constexpr std::uint32_t kStartTransmitter = 0x008;
constexpr std::uint32_t kReceived = 0x108;
constexpr std::uint32_t kSent = 0x11C;
constexpr std::uint32_t kEnable = 0x500;
constexpr std::uint32_t kPinToSend = 0x50C;
constexpr std::uint32_t kPinToReceive = 0x514;
constexpr std::uint32_t kRead = 0x518;
constexpr std::uint32_t kWrite = 0x51C;
constexpr std::uint32_t kBaudRate = 0x524;

constexpr std::uint32_t kBaud115200 = 0x01D7E000;
constexpr std::uint32_t kEnabled = 4;
constexpr std::uint32_t kPins[] = {TINYML_UART_PINS};

}  // namespace

extern "C" {

void tinyml_uart_open() {
  at(kPinToSend) = kPins[0];
  at(kPinToReceive) = kPins[1];
  at(kBaudRate) = kBaud115200;
  at(kEnable) = kEnabled;
  at(kStartReceiver) = 1;
  at(kStartTransmitter) = 1;
}

int tinyml_uart_read() {
  if (at(kReceived) == 0) return -1;
  at(kReceived) = 0;  // before the read, which may bring the next byte forward
  return static_cast<std::uint8_t>(at(kRead));
}

void tinyml_uart_write(std::uint8_t byte) {
  at(kSent) = 0;
  at(kWrite) = byte;
  while (at(kSent) == 0) {
  }
}

}  // extern "C"
