// What erases and programs the flash of an RP2040 or RP2350 while no program can run from it: it
// lies in RAM, and calls nothing but the boot ROM.

#include "runtime/storage/rp_flash.hpp"

namespace {

constexpr std::uint32_t kBlockBytes = 1U << 16U;
constexpr std::uint8_t kEraseBlock = 0xD8;  // for sizes that are whole blocks

}  // namespace

extern "C" {

[[gnu::noinline, gnu::section(".ram_code")]] void tinyml_rp_flash(const tinyml::BootRomCalls& rom,
                                                                  std::uint32_t offset,
                                                                  std::size_t sector_bytes,
                                                                  std::uint32_t* page) {
#if defined(__arm__)
  std::uint32_t masked = 0;
  __asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
#endif
  rom.connect();
  rom.exit_xip();
  if (sector_bytes != 0) {
    rom.erase(offset, sector_bytes, kBlockBytes, kEraseBlock);
  } else {
    rom.program(offset, reinterpret_cast<const std::uint8_t*>(page), tinyml::kRpPageBytes);
  }
  rom.flush();
  rom.resume(page);
#if defined(__arm__)
  __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
#endif
}

#if defined(__arm__)
/// Boot RAM does not execute: the function is copied from there (RP2350 Datasheet, Bootrom).
[[gnu::noinline, gnu::section(".ram_code")]] void tinyml_rp2350_resume(std::uint32_t* page) {
  const auto* from = reinterpret_cast<const volatile std::uint32_t*>(0x400E0000U);
  for (std::size_t i = 0; i < tinyml::kRpPageBytes / 4; ++i) page[i] = from[i];
  __asm volatile("dsb\n isb" ::: "memory");
  reinterpret_cast<void (*)()>(reinterpret_cast<std::uintptr_t>(page) | 1U)();
}
#endif

}  // extern "C"
