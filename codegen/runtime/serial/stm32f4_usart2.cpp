// USART2 of an STM32F4 (RM0390: USART 25.6, RCC 6.3, GPIO 7.4) on PA2 and PA3, which a Nucleo-64
// board connects to its USB socket (UM1724, 6.8): 115,200 baud at the clock after reset, 16 MHz
// HSI.
//
// Run under QEMU (netduinoplus2, an STM32F405 whose USART is modelled, RCC and GPIO are not), not
// on a board.

#include "runtime/serial/port.hpp"

namespace {

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

constexpr std::uint32_t kRcc = 0x40023800U;
constexpr std::uint32_t kRccAhb1Enable = kRcc + 0x30U;
constexpr std::uint32_t kRccApb1Enable = kRcc + 0x40U;
constexpr std::uint32_t kGpioA = 0x40020000U;
constexpr std::uint32_t kGpioMode = kGpioA + 0x00U;
constexpr std::uint32_t kGpioAlternateLow = kGpioA + 0x20U;
constexpr std::uint32_t kUsart2 = 0x40004400U;
constexpr std::uint32_t kStatus = kUsart2 + 0x00U;
constexpr std::uint32_t kData = kUsart2 + 0x04U;
constexpr std::uint32_t kBaudRate = kUsart2 + 0x08U;
constexpr std::uint32_t kControl1 = kUsart2 + 0x0CU;

constexpr std::uint32_t kReceived = 1U << 5U;       // SR.RXNE
constexpr std::uint32_t kTransmitEmpty = 1U << 7U;  // SR.TXE

constexpr std::uint32_t kClockHz = 16000000;
constexpr std::uint32_t kBaud = 115200;

}  // namespace

extern "C" {

void tinyml_uart_open() {
  at(kRccAhb1Enable) = at(kRccAhb1Enable) | 1U;           // GPIOA
  at(kRccApb1Enable) = at(kRccApb1Enable) | (1U << 17U);  // USART2
  // PA2 and PA3: alternate function 7.
  at(kGpioMode) = (at(kGpioMode) & ~0xF0U) | 0xA0U;
  at(kGpioAlternateLow) = (at(kGpioAlternateLow) & ~0xFF00U) | 0x7700U;
  at(kBaudRate) = (kClockHz + kBaud / 2) / kBaud;         // oversampling by 16
  at(kControl1) = (1U << 13U) | (1U << 3U) | (1U << 2U);  // UE, TE, RE
}

int tinyml_uart_read() {
  // Reading SR, then DR, also clears an overrun: the frame's CRC tells that a byte is missing.
  if ((at(kStatus) & kReceived) == 0) return -1;
  return static_cast<std::uint8_t>(at(kData));
}

void tinyml_uart_write(std::uint8_t byte) {
  while ((at(kStatus) & kTransmitEmpty) == 0) {
  }
  at(kData) = byte;
}

}  // extern "C"
