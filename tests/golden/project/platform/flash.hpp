#pragma once

// The flash driver in which the firmware saves the head. Generated.

#include "src/config.hpp"
#if defined(TINYML_SEMIHOSTING_FLASH)
#include "runtime/storage/semihosting_flash.hpp"
#else
#include "runtime/storage/flash.hpp"
#endif

namespace tinyml {
inline namespace mobile {

#if defined(TINYML_SEMIHOSTING_FLASH)
/// A slot holds its header of 32 bytes and the head.
constexpr std::size_t kSlotBytes = (32 + MemoryPlan::kStateBytes + 4095) / 4096 * 4096;
using BoardFlash = SemihostingFlash<kSlotBytes>;
#else
using BoardFlash = NoFlash;
#endif

}  // namespace mobile
}  // namespace tinyml
