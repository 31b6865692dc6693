#pragma once

#include <cstdint>

namespace tinyml {

/// What `ticks` counts.
enum class TickSource : std::uint8_t {
  kCycles = 1,        ///< DWT's CYCCNT: cycles of the core.
  kSysTick = 2,       ///< SysTick, for cores and emulators without CYCCNT.
  kMicroseconds = 3,  ///< Of a framework that has its own clock.
};

/// Starts the counter: CYCCNT if it runs, else SysTick, which then owns that timer's interrupt.
TickSource start_ticks();

/// Ticks until now, modulo 2^32.
std::uint32_t ticks();

}  // namespace tinyml
