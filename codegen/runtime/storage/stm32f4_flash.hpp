#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/storage/memory_bus.hpp"

namespace tinyml {

/// Flash of the STM32F4 and STM32F7, from RM0390 chapter 3 and RM0410 chapter 3: words of 32 bits
/// (supply from 2.7 V), sectors of one size from `kFirstSector` on. These families have no ECC, so
/// that a word whose programming was cut short can be read like any other. The core waits while the
/// flash is busy (in single-bank mode it cannot fetch); a sector of 16 or 32 kB takes 0.25 to 0.5
/// s.
///
/// Run against a model of the controller that was written from the same manuals
/// (tests/codegen/runtime/test_stm32_flash.py), not on a board.
template <std::uint32_t kOrigin, std::size_t kSector, std::size_t kSlot, std::uint32_t kFirstSector,
          typename Bus = MemoryBus>
class Stm32F4Flash {
 public:
  static constexpr std::size_t kWriteBytes = 4;
  static constexpr std::size_t kEraseBytes = kSector;
  static constexpr std::size_t kSlotBytes = kSlot;

  bool erase(std::size_t offset) {
    if (!unlock()) return false;
    const std::uint32_t sector = kFirstSector + static_cast<std::uint32_t>(offset / kSector);
    Bus::write(kControl, kSectorErase | kWords | (sector << 3U));
    Bus::write(kControl, kSectorErase | kWords | (sector << 3U) | kStart);
    return finish();
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    if (!unlock()) return false;
    std::uint32_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    Bus::write(kControl, kProgram | kWords);
    Bus::write(kOrigin + static_cast<std::uint32_t>(offset), word);
    return finish();
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    read_words<Bus>(kOrigin + static_cast<std::uint32_t>(offset), static_cast<std::uint8_t*>(out),
                    bytes);
  }

 private:
  static constexpr std::uint32_t kRegisters = 0x40023C00U;
  static constexpr std::uint32_t kKey = kRegisters + 0x04U;
  static constexpr std::uint32_t kStatus = kRegisters + 0x0CU;
  static constexpr std::uint32_t kControl = kRegisters + 0x10U;
  static constexpr std::uint32_t kProgram = 1U << 0U;
  static constexpr std::uint32_t kSectorErase = 1U << 1U;
  static constexpr std::uint32_t kWords = 2U << 8U;  // PSIZE: 32 bits at a time
  static constexpr std::uint32_t kStart = 1U << 16U;
  static constexpr std::uint32_t kLock = 1U << 31U;
  static constexpr std::uint32_t kBusy = 1U << 16U;
  static constexpr std::uint32_t kErrors = 0x1F2U;  // OPERR, WRPERR and those of alignment

  static void wait() {
    Bus::wait_for_writes();
    while ((Bus::read(kStatus) & kBusy) != 0) {
    }
  }

  static bool unlock() {
    wait();
    if ((Bus::read(kControl) & kLock) != 0) {
      Bus::write(kKey, 0x45670123U);
      Bus::write(kKey, 0xCDEF89ABU);
    }
    Bus::write(kStatus, kErrors);  // written ones clear what an earlier operation left
    return (Bus::read(kControl) & kLock) == 0;
  }

  /// Waits for the operation, then locks the controller: no stray write changes the flash.
  static bool finish() {
    wait();
    const bool good = (Bus::read(kStatus) & kErrors) == 0;
    Bus::write(kControl, kLock);
    return good;
  }
};

}  // namespace tinyml
