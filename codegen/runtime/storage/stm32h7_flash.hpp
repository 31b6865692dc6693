#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/storage/memory_bus.hpp"

namespace tinyml {

/// What differs between chips: bytes of a flash word, and where CR has its fields.
struct Stm32H743 {  ///< STM32H742, H743, H750, H753 (RM0433 chapter 4)
  static constexpr std::size_t kWord = 32;
  static constexpr std::uint32_t kStart = 1U << 7U;
  static constexpr std::uint32_t kNumber = 8;
  static constexpr std::uint32_t kParallel = 3U << 4U;  // PSIZE: 64 bits at a time
};
struct Stm32H7A3 {  ///< STM32H7A3, H7B0, H7B3 (RM0455 chapter 5)
  static constexpr std::size_t kWord = 16;
  static constexpr std::uint32_t kStart = 1U << 5U;
  static constexpr std::uint32_t kNumber = 6;
  static constexpr std::uint32_t kParallel = 0;
};

/// Flash of the STM32H7: flash words of 256 or 128 bits, each with ECC and programmed once, sectors
/// of one size from `kFirstSector` of bank `kBank` on. The other bank can be read meanwhile, so
/// that the core waits only where the program reaches into this one.
///
/// A flash word whose programming was cut short, or a sector whose erasure was, may disagree with
/// its ECC by two bits: loads from it then fault. So reading ignores bus faults, asks for the flag
/// of a double error, and turns what it read into zeros, which no header and no CRC of a slot
/// agrees with. The data cache is off, as after reset: who switches it on keeps it from the
/// storage.
///
/// Driver and models of both controllers (tests/codegen/runtime/test_flash_drivers.py) are written
/// from what public code and notes say of these manuals. Not run on a board.
template <typename Chip, std::uint32_t kOrigin, std::size_t kSector, std::size_t kSlot,
          std::uint32_t kFirstSector, std::uint32_t kBank, typename Bus = MemoryBus>
class Stm32H7Flash {
 public:
  static constexpr std::size_t kWriteBytes = Chip::kWord;
  static constexpr std::size_t kEraseBytes = kSector;
  static constexpr std::size_t kSlotBytes = kSlot;

  bool erase(std::size_t offset) {
    if (!unlock()) return false;
    const std::uint32_t sector = kFirstSector + static_cast<std::uint32_t>(offset / kSector);
    const std::uint32_t command = kSectorErase | Chip::kParallel | (sector << Chip::kNumber);
    Bus::write(kControl, command);
    Bus::write(kControl, command | Chip::kStart);
    return finish();
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    if (!unlock()) return false;
    std::uint32_t words[Chip::kWord / 4];
    std::memcpy(words, data, sizeof(words));
    Bus::write(kControl, kProgram | Chip::kParallel);
    Bus::wait_for_writes();
    auto address = kOrigin + static_cast<std::uint32_t>(offset);
    for (const std::uint32_t word : words) {
      Bus::write(address, word);
      address += 4;
    }
    return finish();
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    wait();
    Bus::write(kClear, kErrors);
    Bus::ignore_faults();
    read_words<Bus>(kOrigin + static_cast<std::uint32_t>(offset), static_cast<std::uint8_t*>(out),
                    bytes);
    Bus::heed_faults();
    if ((Bus::read(kStatus) & kDoubleError) == 0) return;
    Bus::write(kClear, kErrors);
    std::memset(out, 0, bytes);
  }

 private:
  static constexpr std::uint32_t kRegisters = 0x52002000U + (kBank == 2 ? 0x100U : 0U);
  static constexpr std::uint32_t kKey = kRegisters + 0x04U;
  static constexpr std::uint32_t kControl = kRegisters + 0x0CU;
  static constexpr std::uint32_t kStatus = kRegisters + 0x10U;
  static constexpr std::uint32_t kClear = kRegisters + 0x14U;
  static constexpr std::uint32_t kLock = 1U << 0U;
  static constexpr std::uint32_t kProgram = 1U << 1U;
  static constexpr std::uint32_t kSectorErase = 1U << 2U;
  static constexpr std::uint32_t kBusy = 7U;  // BSY, WBNE, QW
  static constexpr std::uint32_t kDoubleError = 1U << 26U;
  static constexpr std::uint32_t kErrors = 0x07EE0000U;  // WRPERR to DBECCERR

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
    Bus::write(kClear, kErrors);  // one that is left forbids the next operation
    return (Bus::read(kControl) & kLock) == 0;
  }

  /// Waits for the operation, then locks the bank: no stray write changes the flash.
  static bool finish() {
    wait();
    const bool good = (Bus::read(kStatus) & kErrors & ~kCorrected) == 0;
    Bus::write(kControl, kLock);
    return good;
  }
  static constexpr std::uint32_t kCorrected = 1U << 25U;  // SNECCERR: a single bit
};

}  // namespace tinyml
