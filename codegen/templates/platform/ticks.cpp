#include "platform/ticks.hpp"

namespace tinyml {
namespace {

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

constexpr std::uint32_t kSysTickControl = 0xE000E010U;
constexpr std::uint32_t kSysTickReload = 0xE000E014U;
constexpr std::uint32_t kSysTickCurrent = 0xE000E018U;
[[maybe_unused]] constexpr std::uint32_t kDwtControl = 0xE0001000U;
constexpr std::uint32_t kDwtCycles = 0xE0001004U;
[[maybe_unused]] constexpr std::uint32_t kDwtUnlock = 0xE0001FB0U;
[[maybe_unused]] constexpr std::uint32_t kDebugControl = 0xE000EDFCU;

constexpr std::uint32_t kSysTickBits = 24;
constexpr std::uint32_t kSysTickMost = (1U << kSysTickBits) - 1U;

volatile std::uint32_t wraps;
TickSource source;

bool start_cycles() {
#if defined(__ARM_ARCH_6M__)
  return false;  // a Cortex-M0+ has no such register
#else
  at(kDebugControl) = at(kDebugControl) | (1U << 24U);  // TRCENA: power the DWT
  at(kDwtUnlock) = 0xC5ACCE55U;                         // a Cortex-M7 asks for it
  at(kDwtCycles) = 0;
  at(kDwtControl) = at(kDwtControl) | 1U;
  // QEMU reads 0 for ever.
  const std::uint32_t before = at(kDwtCycles);
  for (int i = 0; i < 16; ++i) __asm volatile("nop");
  return at(kDwtCycles) != before;
#endif
}

}  // namespace

extern "C" void tinyml_sys_tick() { wraps = wraps + 1; }

TickSource start_ticks() {
  source = start_cycles() ? TickSource::kCycles : TickSource::kSysTick;
  if (source == TickSource::kSysTick) start_sys_tick();
  return source;
}

void start_sys_tick() {
  at(kSysTickReload) = kSysTickMost;
  at(kSysTickCurrent) = 0;
  at(kSysTickControl) = 7;  // on, with interrupt, from the core's clock
}

std::uint32_t ticks() {
  return source == TickSource::kCycles ? at(kDwtCycles) : static_cast<std::uint32_t>(sys_ticks());
}

std::uint64_t sys_ticks() {
  while (true) {
    const std::uint64_t high = wraps;
    const std::uint32_t down = at(kSysTickCurrent);
    if (high == wraps) return (high << kSysTickBits) + (kSysTickMost - down);
  }
}

}  // namespace tinyml
