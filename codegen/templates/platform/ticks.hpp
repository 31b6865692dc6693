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

/// Starts SysTick, and cycles since then: for what takes longer than 2^32 of them.
void start_sys_tick();
std::uint64_t sys_ticks();

}  // namespace tinyml
