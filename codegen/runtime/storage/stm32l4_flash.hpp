#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/storage/memory_bus.hpp"

extern "C" {
/// Not 0: what was read last did not agree with its ECC (stm32l4_nmi.cpp).
extern volatile std::uint32_t tinyml_flash_broken;
}

namespace tinyml {

/// The chip's, where a double error of ECC is told by a non-maskable interrupt.
struct MemoryBusWithEcc : MemoryBus {
  /// Whether that has happened since it was last asked.
  static bool take_error() {
#if defined(__arm__)
    __asm volatile("dsb\n isb" ::: "memory");
#endif
    const bool broken = tinyml_flash_broken != 0;
    tinyml_flash_broken = 0;
    return broken;
  }
};

/// Bits of CR and SR that differ between families.
struct Stm32L4 {  ///< STM32L4, L4+ (RM0432 chapter 3), G4, WB
  static constexpr std::uint32_t kSecondBank = 1U << 11U;
  static constexpr std::uint32_t kBusy = 1U << 16U;
  static constexpr bool kDataCache = true;
};
struct Stm32G0 {  ///< STM32G0 (RM0444 chapter 3); pages of its second bank count from 256
  static constexpr std::uint32_t kSecondBank = 1U << 13U;
  static constexpr std::uint32_t kBusy = 7U << 16U;  // of bank 1, of bank 2, of CFGBSY
  static constexpr bool kDataCache = false;
};

/// Flash of the STM32L4 and G0: double words of 64 bits, each with ECC and programmed once, pages
/// of one size from `kFirstPage` of bank `kBank` on, by the number that the controller wants.
///
/// A double word whose programming was cut short, or a page whose erasure was, may disagree with
/// its ECC by two bits: reading it then raises an NMI. `stm32l4_nmi.cpp` takes note of it, and what
/// was read becomes zeros, which no header and no CRC of a slot agrees with.
///
/// Driver and models of both controllers (tests/codegen/runtime/test_flash_drivers.py) are written
/// from what public code and notes say of these manuals. Not run on a board.
template <typename Chip, std::uint32_t kOrigin, std::size_t kPage, std::size_t kSlot,
          std::uint32_t kFirstPage, std::uint32_t kBank, typename Bus = MemoryBusWithEcc>
class Stm32L4Flash {
 public:
  static constexpr std::size_t kWriteBytes = 8;
  static constexpr std::size_t kEraseBytes = kPage;
  static constexpr std::size_t kSlotBytes = kSlot;

  bool erase(std::size_t offset) {
    if (!unlock()) return false;
    const std::uint32_t page = kFirstPage + static_cast<std::uint32_t>(offset / kPage);
    const std::uint32_t command = kPageErase | (page << 3U) | (kBank == 2 ? Chip::kSecondBank : 0U);
    Bus::write(kControl, command);
    Bus::write(kControl, command | kStart);
    return finish();
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    if (!unlock()) return false;
    std::uint32_t words[2];
    std::memcpy(words, data, sizeof(words));
    Bus::write(kControl, kProgram);
    Bus::write(kOrigin + static_cast<std::uint32_t>(offset), words[0]);
    Bus::write(kOrigin + static_cast<std::uint32_t>(offset) + 4U, words[1]);
    return finish();
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    Bus::take_error();
    read_words<Bus>(kOrigin + static_cast<std::uint32_t>(offset), static_cast<std::uint8_t*>(out),
                    bytes);
    if (Bus::take_error()) std::memset(out, 0, bytes);
  }

 private:
  static constexpr std::uint32_t kRegisters = 0x40022000U;
  static constexpr std::uint32_t kAccess = kRegisters;
  static constexpr std::uint32_t kKey = kRegisters + 0x08U;
  static constexpr std::uint32_t kStatus = kRegisters + 0x10U;
  static constexpr std::uint32_t kControl = kRegisters + 0x14U;
  static constexpr std::uint32_t kProgram = 1U << 0U;
  static constexpr std::uint32_t kPageErase = 1U << 1U;
  static constexpr std::uint32_t kStart = 1U << 16U;
  static constexpr std::uint32_t kLock = 1U << 31U;
  static constexpr std::uint32_t kErrors = 0xC3FAU;  // all that SR has, from OPERR to OPTVERR

  static void wait() {
    Bus::wait_for_writes();
    while ((Bus::read(kStatus) & Chip::kBusy) != 0) {
    }
  }

  static bool unlock() {
    wait();
    if ((Bus::read(kControl) & kLock) != 0) {
      Bus::write(kKey, 0x45670123U);
      Bus::write(kKey, 0xCDEF89ABU);
    }
    Bus::write(kStatus, kErrors);  // one that is left forbids the next operation
    return (Bus::read(kControl) & kLock) == 0;
  }

  /// Waits for the operation, then locks the controller: no stray write changes the flash.
  static bool finish() {
    wait();
    const bool good = (Bus::read(kStatus) & kErrors) == 0;
    Bus::write(kControl, kLock);
    if (Chip::kDataCache) forget_cached();
    return good;
  }

  /// The data cache, on after reset, is not told of what was erased and programmed.
  static void forget_cached() {
    const std::uint32_t access = Bus::read(kAccess);
    Bus::write(kAccess, access & ~kDataCacheOn);
    Bus::write(kAccess, (access & ~kDataCacheOn) | kDataCacheReset);
    Bus::write(kAccess, access);
    Bus::wait_for_writes();
  }
  static constexpr std::uint32_t kDataCacheOn = 1U << 10U;
  static constexpr std::uint32_t kDataCacheReset = 1U << 12U;
};

}  // namespace tinyml
