#pragma once

// Stands in for the generated platform/flash.hpp: flash in RAM, which tests fill and read.

#include "runtime/storage/ram_flash.hpp"
#include "src/config.hpp"

namespace tinyml {

constexpr std::size_t kSlotBytes = (32 + MemoryPlan::kStateBytes + 255) / 256 * 256;

struct BoardFlash : RamFlash<8, 256, kSlotBytes> {
  BoardFlash() : RamFlash(content) {}
  static inline std::uint8_t content[2 * kSlotBytes];
};

}  // namespace tinyml
