// The serial port of an STM32, at the clock that platform/clocks.cpp gives it. The macros
// TINYML_USART* are the table `serial` of the board's file.
//
// Run under QEMU with the numbers of the Nucleo-F446RE (netduinoplus2 is an STM32F405; RCC and GPIO
// are not modelled). Written from the reference manuals and not run on a board.

#include <cstddef>

#include "runtime/serial/port.hpp"

namespace {

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// Where a USART's registers are. Status bits are the same in all: 5 received, 7 room to send.
struct Registers {
  std::uint32_t status;
  std::uint32_t received;
  std::uint32_t to_send;
  std::uint32_t baud_rate;
  std::uint32_t control1;
  std::uint32_t enable;    ///< CR1: USART, transmitter and receiver on.
  std::uint32_t clear;     ///< Register that clears an overrun, or 0 where reading does.
  std::uint32_t overruns;  ///< Its bit.
};

/// STM32F1, F2, F4: SR, DR, BRR, CR1.
[[maybe_unused]] constexpr Registers kFirst = {0x00, 0x04, 0x04, 0x08, 0x0C, (1U << 13U) | 0xCU,
                                               0,    0};
/// STM32F7, H7, L4 and later: CR1, BRR, ISR, ICR, RDR, TDR.
[[maybe_unused]] constexpr Registers kSecond = {0x1C, 0x24, 0x28, 0x0C, 0x00, 0xDU, 0x20, 1U << 3U};

constexpr std::uint32_t kBaud = 115200;
constexpr std::uint32_t kDivider = (TINYML_USART_CLOCK_HZ + kBaud / 2) / kBaud;
constexpr std::uint32_t kUsart = TINYML_USART;
constexpr std::uint32_t kGpio = TINYML_USART_GPIO;
constexpr std::uint32_t kPins[] = {TINYML_USART_PINS};
constexpr std::uint32_t kAlternate = TINYML_USART_ALTERNATE;
/// An address and the number of a bit, in this order: what switches on a part of the chip.
constexpr std::uint32_t kEnables[] = {TINYML_USART_ENABLES};
constexpr std::size_t kEnableWords = sizeof(kEnables) / sizeof(kEnables[0]);
constexpr const Registers& kRegisters = TINYML_USART_REGISTERS == 1 ? kFirst : kSecond;

/// A pin's mode (2 bits) and alternate function (4 bits).
void connect(std::uint32_t pin) {
  const std::uint32_t mode = kGpio;
  const std::uint32_t alternate = kGpio + (pin < 8 ? 0x20U : 0x24U);
  const std::uint32_t shift = 4 * (pin % 8);
  at(alternate) = (at(alternate) & ~(0xFU << shift)) | (kAlternate << shift);
  at(mode) = (at(mode) & ~(3U << (2 * pin))) | (2U << (2 * pin));
}

}  // namespace

extern "C" {

void tinyml_uart_open() {
  for (std::size_t i = 0; i < kEnableWords; i += 2) {
    at(kEnables[i]) = at(kEnables[i]) | (1U << kEnables[i + 1]);
    [[maybe_unused]] const std::uint32_t settled = at(kEnables[i]);  // the part needs cycles
  }
  for (const std::uint32_t pin : kPins) connect(pin);
  at(kUsart + kRegisters.baud_rate) = kDivider;
  at(kUsart + kRegisters.control1) = kRegisters.enable;
}

int tinyml_uart_read() {
  const std::uint32_t status = at(kUsart + kRegisters.status);
  // A byte that came too early is lost; the frame's CRC tells. It must not stop the receiver.
  if ((status & (1U << 3U)) != 0 && kRegisters.clear != 0) {
    at(kUsart + kRegisters.clear) = kRegisters.overruns;
  }
  if ((status & (1U << 5U)) == 0) return -1;
  return static_cast<std::uint8_t>(at(kUsart + kRegisters.received));
}

void tinyml_uart_write(std::uint8_t byte) {
  while ((at(kUsart + kRegisters.status) & (1U << 7U)) == 0) {
  }
  at(kUsart + kRegisters.to_send) = byte;
}

}  // extern "C"
