#pragma once

// The flash driver in which the firmware saves the head. Generated.

#if defined(TINYML_SEMIHOSTING_FLASH)
#include "runtime/storage/semihosting_flash.hpp"
#else
#include "runtime/storage/rp_flash.hpp"
#endif
#include "src/config.hpp"

namespace tinyml {
inline namespace mobile {

#if defined(TINYML_SEMIHOSTING_FLASH)
/// A slot holds its header of 32 bytes and the head.
constexpr std::size_t kSlotBytes = (32 + MemoryPlan::kStateBytes + 4095) / 4096 * 4096;
using BoardFlash = SemihostingFlash<kSlotBytes>;
#else
using BoardFlash = RpFlash<Rp2350, 0x103F8000U, 4096, 16384>;
#endif
}  // namespace mobile
}  // namespace tinyml
