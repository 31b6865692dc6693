#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyml {

/// Registers and memory of the chip itself; tests put a model of the controller in its place.
struct MemoryBus {
  static std::uint32_t read(std::uint32_t address) {
    return *reinterpret_cast<const volatile std::uint32_t*>(address);
  }
  static void write(std::uint32_t address, std::uint32_t value) {
    *reinterpret_cast<volatile std::uint32_t*>(address) = value;
  }
  static void wait_for_writes() {
#if defined(__arm__)
    __asm volatile("dsb" ::: "memory");
#endif
  }

  /// Between these a load that the memory answers with an error gives any value, and no fault:
  /// ARMv7-M ignores bus faults at the priority that FAULTMASK gives, if CCR.BFHFNMIGN says so.
  static void ignore_faults() {
#if defined(__ARM_ARCH_7EM__)
    write(kControl, read(kControl) | kIgnoreBusFaults);
    __asm volatile("dsb\n isb\n cpsid f" ::: "memory");
#endif
  }
  static void heed_faults() {
#if defined(__ARM_ARCH_7EM__)
    __asm volatile("dsb\n isb\n cpsie f" ::: "memory");
    write(kFaults, kBusFaults);  // ones clear
    write(kControl, read(kControl) & ~kIgnoreBusFaults);
#endif
  }

 private:
  static constexpr std::uint32_t kControl = 0xE000ED14U;  // CCR
  static constexpr std::uint32_t kIgnoreBusFaults = 1U << 8U;
  static constexpr std::uint32_t kFaults = 0xE000ED28U;  // CFSR
  static constexpr std::uint32_t kBusFaults = 0xFFU << 8U;
};

/// Bytes from words at `address`, which may be any.
template <typename Bus>
void read_words(std::uint32_t address, std::uint8_t* to, std::size_t bytes) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < bytes; ++i, ++address) {
    if (i == 0 || address % 4 == 0) word = Bus::read(address & ~3U);
    to[i] = static_cast<std::uint8_t>(word >> (8U * (address & 3U)));
  }
}

}  // namespace tinyml
