// The serial port behind the USB socket of ST's Nucleo boards, at the clock that they have after
// reset. TINYML_WIRING names one of the boards below.
//
// Run under QEMU: the Nucleo-F446RE's (netduinoplus2 is an STM32F405; RCC and GPIO are not
// modelled). Written from the reference manuals and not run on a board: all of them.

#include "runtime/serial/port.hpp"

namespace {

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// Bits of a register that switch on a part of the chip.
struct Enable {
  std::uint32_t address;
  std::uint32_t bits;
};
constexpr Enable on(std::uint32_t address, std::uint32_t bit) { return {address, 1U << bit}; }

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
constexpr Registers kFirst = {0x00, 0x04, 0x04, 0x08, 0x0C, (1U << 13U) | 0xCU, 0, 0};
/// STM32F7, H7, L4 and later: CR1, BRR, ISR, ICR, RDR, TDR.
constexpr Registers kSecond = {0x1C, 0x24, 0x28, 0x0C, 0x00, 0xDU, 0x20, 1U << 3U};

struct Wiring {
  std::uint32_t gpio;
  std::uint32_t pins[2];
  std::uint32_t alternate;
  std::uint32_t usart;
  std::uint32_t divider;
  const Registers& registers;
  Enable enables[4];  ///< In this order; unused ones have address 0.
};

constexpr std::uint32_t kBaud = 115200;
constexpr std::uint32_t divider(std::uint32_t clock_hz) { return (clock_hz + kBaud / 2) / kBaud; }

/// RM0390 (RCC, USART), UM1724: USART2 on PA2 and PA3; HSI, 16 MHz. AHB1ENR.GPIOAEN,
/// APB1ENR.USART2EN.
[[maybe_unused]] constexpr Wiring kNucleoF446re = {0x40020000U,
                                                   {2, 3},
                                                   7,
                                                   0x40004400U,
                                                   divider(16000000),
                                                   kFirst,
                                                   {on(0x40023830U, 0), on(0x40023840U, 17)}};

/// RM0410 (RCC, USART), UM1974: USART3 on PD8 and PD9; HSI, 16 MHz. AHB1ENR.GPIODEN,
/// APB1ENR.USART3EN.
[[maybe_unused]] constexpr Wiring kNucleoF767zi = {0x40020C00U,
                                                   {8, 9},
                                                   7,
                                                   0x40004800U,
                                                   divider(16000000),
                                                   kSecond,
                                                   {on(0x40023830U, 3), on(0x40023840U, 18)}};

/// RM0433 (RCC, USART), UM2407: USART3 on PD8 and PD9; HSI, 64 MHz. AHB4ENR.GPIODEN,
/// APB1LENR.USART3EN.
[[maybe_unused]] constexpr Wiring kNucleoH743zi = {0x58020C00U,
                                                   {8, 9},
                                                   7,
                                                   0x40004800U,
                                                   divider(64000000),
                                                   kSecond,
                                                   {on(0x580244E0U, 3), on(0x580244E8U, 18)}};

/// RM0455 (RCC, USART), UM2408: as the H743's, with other offsets in RCC.
[[maybe_unused]] constexpr Wiring kNucleo1mb = {0x58020C00U,
                                                {8, 9},
                                                7,
                                                0x40004800U,
                                                divider(64000000),
                                                kSecond,
                                                {on(0x58024540U, 3), on(0x58024548U, 18)}};

/// RM0432 (PWR, RCC, LPUART), UM2179: LPUART1 on PG7 and PG8, whose supply must be declared valid;
/// MSI, 4 MHz, of which an LPUART divides 256 times. APB1ENR1.PWREN, PWR CR2.IOSV,
/// AHB2ENR.GPIOGEN, APB1ENR2.LPUART1EN.
[[maybe_unused]] constexpr Wiring kNucleoL4r5zi = {
    0x48001800U,
    {7, 8},
    8,
    0x40008000U,
    divider(256 * 4000000U),
    kSecond,
    {on(0x40021058U, 28), on(0x40007004U, 9), on(0x4002104CU, 6), on(0x4002105CU, 0)}};

constexpr const Wiring& kWiring = TINYML_WIRING;
constexpr const Registers& kRegisters = kWiring.registers;

/// A pin's mode (2 bits) and alternate function (4 bits).
void connect(std::uint32_t pin) {
  const std::uint32_t mode = kWiring.gpio;
  const std::uint32_t alternate = kWiring.gpio + (pin < 8 ? 0x20U : 0x24U);
  const std::uint32_t shift = 4 * (pin % 8);
  at(alternate) = (at(alternate) & ~(0xFU << shift)) | (kWiring.alternate << shift);
  at(mode) = (at(mode) & ~(3U << (2 * pin))) | (2U << (2 * pin));
}

}  // namespace

extern "C" {

void tinyml_uart_open() {
  for (const Enable& enable : kWiring.enables) {
    if (enable.address == 0) continue;
    at(enable.address) = at(enable.address) | enable.bits;
    [[maybe_unused]] const std::uint32_t settled = at(enable.address);  // the part needs cycles
  }
  for (const std::uint32_t pin : kWiring.pins) connect(pin);
  at(kWiring.usart + kRegisters.baud_rate) = kWiring.divider;
  at(kWiring.usart + kRegisters.control1) = kRegisters.enable;
}

int tinyml_uart_read() {
  const std::uint32_t status = at(kWiring.usart + kRegisters.status);
  // A byte that came too early is lost; the frame's CRC tells. It must not stop the receiver.
  if ((status & (1U << 3U)) != 0 && kRegisters.clear != 0) {
    at(kWiring.usart + kRegisters.clear) = kRegisters.overruns;
  }
  if ((status & (1U << 5U)) == 0) return -1;
  return static_cast<std::uint8_t>(at(kWiring.usart + kRegisters.received));
}

void tinyml_uart_write(std::uint8_t byte) {
  while ((at(kWiring.usart + kRegisters.status) & (1U << 7U)) == 0) {
  }
  at(kWiring.usart + kRegisters.to_send) = byte;
}

}  // extern "C"
