#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/storage/memory_bus.hpp"

namespace tinyml {

/// Flash of Nordic's nRF52 (nRF52840 Product Specification, "NVMC"): words of 32 bits, pages of 4
/// kB. It has no ECC: a word whose programming was cut short can be read like any other. The core
/// waits while the flash is busy: 41 us for a word, 85 ms for a page.
///
/// Driver and model of the controller (tests/codegen/runtime/test_flash_drivers.py) are written
/// from what public code and notes say of that document. Not run on a board.
template <std::uint32_t kOrigin, std::size_t kPage, std::size_t kSlot, typename Bus = MemoryBus>
class NrfFlash {
 public:
  static constexpr std::size_t kWriteBytes = 4;
  static constexpr std::size_t kEraseBytes = kPage;
  static constexpr std::size_t kSlotBytes = kSlot;

  bool erase(std::size_t offset) {
    allow(kErasing);
    Bus::write(kErasePage, kOrigin + static_cast<std::uint32_t>(offset));
    allow(kReading);
    return true;
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    std::uint32_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    allow(kWriting);
    Bus::write(kOrigin + static_cast<std::uint32_t>(offset), word);
    allow(kReading);
    return true;  // it reports no errors: who saves reads back
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    read_words<Bus>(kOrigin + static_cast<std::uint32_t>(offset), static_cast<std::uint8_t*>(out),
                    bytes);
  }

 private:
  static constexpr std::uint32_t kRegisters = 0x4001E000U;
  static constexpr std::uint32_t kReady = kRegisters + 0x400U;
  static constexpr std::uint32_t kConfig = kRegisters + 0x504U;
  static constexpr std::uint32_t kErasePage = kRegisters + 0x508U;
  static constexpr std::uint32_t kReading = 0;
  static constexpr std::uint32_t kWriting = 1;
  static constexpr std::uint32_t kErasing = 2;

  /// Waits until the memory is ready, then says what may be done to it.
  static void allow(std::uint32_t what) {
    Bus::wait_for_writes();
    while ((Bus::read(kReady) & 1U) == 0) {
    }
    Bus::write(kConfig, what);
    Bus::wait_for_writes();
  }
};

}  // namespace tinyml
