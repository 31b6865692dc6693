#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/storage/memory_bus.hpp"

namespace tinyml {

/// What the boot ROM has for the flash beside the chip (RP2040 Datasheet and RP2350 Datasheet,
/// Bootrom), and how the program goes on from flash afterwards.
struct BootRomCalls {
  void (*connect)();   ///< IF: the pads are the flash's.
  void (*exit_xip)();  ///< EX: the flash takes commands, and no program can run from it.
  void (*erase)(std::uint32_t offset, std::size_t bytes, std::uint32_t block,
                std::uint8_t command);                                                 ///< RE
  void (*program)(std::uint32_t offset, const std::uint8_t* data, std::size_t bytes);  ///< RP
  void (*flush)();  ///< FC: forgets what was cached, and lets go of the chip select.
  void (*resume)(std::uint32_t* page);  ///< The program runs from flash again; `page` is free.
};

constexpr std::size_t kRpPageBytes = 256;

/// Erases `sector_bytes` at `offset` of the flash or, where these are 0, programs a page there,
/// with interrupts off. Neither it nor what it calls lies in flash (rp_flash.cpp).
extern "C" void tinyml_rp_flash(const BootRomCalls& rom, std::uint32_t offset,
                                std::size_t sector_bytes, std::uint32_t* page);
extern "C" void tinyml_rp2350_resume(std::uint32_t* page);

/// A word of the ROM. gcc would take an address that it knows to be so low for a null pointer.
inline std::uint32_t boot_rom_word(std::uint32_t address) {
  __asm volatile("" : "+r"(address));
  return MemoryBus::read(address);
}

/// The function at an address.
template <typename Function>
Function boot_rom_function(std::uintptr_t address) {
  return reinterpret_cast<Function>(address);
}

/// Its lookup function takes a table, and flash goes on by command 03h as the second stage of the
/// boot has it (CX).
struct Rp2040 {
  static std::uintptr_t lookup(char first, char second) {
    const auto find = boot_rom_function<std::uintptr_t (*)(std::uintptr_t, std::uint32_t)>(
        boot_rom_word(0x18U) & 0xFFFFU);
    return find(boot_rom_word(0x14U) & 0xFFFFU, code_of(first, second));
  }
  static void (*resume())(std::uint32_t*) {
    return boot_rom_function<void (*)(std::uint32_t*)>(lookup('C', 'X'));
  }
  static std::uint32_t code_of(char first, char second) {
    return static_cast<std::uint8_t>(first) |
           static_cast<std::uint32_t>(static_cast<std::uint8_t>(second)) << 8U;
  }
};

/// Its lookup function takes what the code is for, Arm in secure state, and flash goes on by the
/// function that the boot ROM left in boot RAM: the mode in which it started the program.
struct Rp2350 {
  static std::uintptr_t lookup(char first, char second) {
    const auto find = boot_rom_function<std::uintptr_t (*)(std::uint32_t, std::uint32_t)>(
        boot_rom_word(0x14U) >> 16U);
    return find(Rp2040::code_of(first, second), 4U);
  }
  static void (*resume())(std::uint32_t*) { return tinyml_rp2350_resume; }
};

template <typename Chip>
struct BootRom : MemoryBus {
  static BootRomCalls calls() {
    BootRomCalls found = {};
    found.connect = boot_rom_function<decltype(found.connect)>(Chip::lookup('I', 'F'));
    found.exit_xip = boot_rom_function<decltype(found.exit_xip)>(Chip::lookup('E', 'X'));
    found.erase = boot_rom_function<decltype(found.erase)>(Chip::lookup('R', 'E'));
    found.program = boot_rom_function<decltype(found.program)>(Chip::lookup('R', 'P'));
    found.flush = boot_rom_function<decltype(found.flush)>(Chip::lookup('F', 'C'));
    found.resume = Chip::resume();
    return found;
  }
};

/// The flash from which an RP2040 or RP2350 runs its program (W25Q16JV, W25Q32RV: NOR without ECC,
/// sectors of 4 kB, pages of 256 bytes). A page is programmed piece by piece: ones leave bits as
/// they are. It reports no errors. Interrupts wait for an operation, which takes up to 0.4 s for a
/// sector.
///
/// Driver and model of the ROM's functions (tests/codegen/runtime/test_flash_drivers.py) are
/// written from the datasheets and from what public code says of them. Not run on a board.
template <typename Chip, std::uint32_t kOrigin, std::size_t kSector, std::size_t kSlot,
          typename Rom = BootRom<Chip>>
class RpFlash {
 public:
  static constexpr std::size_t kWriteBytes = 32;
  static constexpr std::size_t kEraseBytes = kSector;
  static constexpr std::size_t kSlotBytes = kSlot;

  bool erase(std::size_t offset) {
    std::uint32_t page[kRpPageBytes / 4];
    tinyml_rp_flash(Rom::calls(), kStart + static_cast<std::uint32_t>(offset), kSector, page);
    return true;
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    std::uint32_t page[kRpPageBytes / 4];
    const std::size_t within = offset % kRpPageBytes;
    std::memset(page, 0xFF, sizeof(page));
    std::memcpy(reinterpret_cast<std::uint8_t*>(page) + within, data, kWriteBytes);
    tinyml_rp_flash(Rom::calls(), kStart + static_cast<std::uint32_t>(offset - within), 0, page);
    return true;  // it reports no errors: who saves reads back
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    read_words<Rom>(kOrigin + static_cast<std::uint32_t>(offset), static_cast<std::uint8_t*>(out),
                    bytes);
  }

 private:
  static constexpr std::uint32_t kExecuted = 0x10000000U;  // where flash is read
  static constexpr std::uint32_t kStart = kOrigin - kExecuted;
  static_assert(kStart % kRpPageBytes == 0 && kSector % kRpPageBytes == 0,
                "a slot begins with a page");
};

}  // namespace tinyml
