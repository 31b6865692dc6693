// The UART of Arm's CMSDK (DDI 0479, "APB UART"), which QEMU's mps2 and mps3 machines have.
// TINYML_UART_BASE is its address. Run under QEMU on mps2-an386, -an500, -an505 and mps3-an547.

#include "runtime/serial/port.hpp"

namespace {

struct Registers {
  volatile std::uint32_t data;
  volatile std::uint32_t state;  ///< Bit 0: transmit buffer full; bit 1: receive buffer full.
  volatile std::uint32_t control;
  volatile std::uint32_t interrupt;
  volatile std::uint32_t divider;
};

Registers& uart() { return *reinterpret_cast<Registers*>(TINYML_UART_BASE); }

constexpr std::uint32_t kClockHz = 25000000;
constexpr std::uint32_t kBaud = 115200;

}  // namespace

extern "C" {

void tinyml_uart_open() {
  uart().divider = kClockHz / kBaud;
  uart().control = 3;  // transmitter and receiver on
}

int tinyml_uart_read() {
  if ((uart().state & 2U) == 0) return -1;
  return static_cast<std::uint8_t>(uart().data);
}

void tinyml_uart_write(std::uint8_t byte) {
  while ((uart().state & 1U) != 0) {
  }
  uart().data = byte;
}

}  // extern "C"
