// Reset of any Cortex-M, without vendor code. Clocks are set up by platform/clocks.cpp, where the
// board's file says how; caches stay as reset leaves them.

#include <cstdint>

#ifndef TINYML_INTERRUPTS
#define TINYML_INTERRUPTS 0  // of peripherals in the vector table: none is enabled here
#endif

namespace {

[[maybe_unused]] volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

}  // namespace

extern "C" {

extern std::uint32_t __stack_bottom[], __stack_top[];
extern std::uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();
int main();

/// What happens after main(): stand still. Test programs replace it.
[[gnu::weak]] void tinyml_halt(int /*code*/) {
  while (true) {
  }
}

/// Tells of the fault, and resets (platform/fault.cpp).
void Fault_Handler();

/// Nothing where clocks stay as reset leaves them (platform/clocks.cpp). It has no data yet: a
/// function of yours, in its place, uses no variable that is not its own.
[[gnu::weak]] void tinyml_start_clocks() {}

/// The system timer's interrupt: platform/ticks.cpp counts its wraps. A SysTick_Handler of yours
/// takes its place; where nothing else counts cycles, it calls tinyml_sys_tick.
[[gnu::weak]] void tinyml_sys_tick() { Fault_Handler(); }
[[gnu::weak]] void SysTick_Handler() { tinyml_sys_tick(); }
/// Those of all peripherals: the IPSR tells which it is.
[[gnu::weak]] void Interrupt_Handler() { Fault_Handler(); }

/// The non-maskable interrupt: flash with ECC tells of a damaged word by it.
[[gnu::weak]] void NMI_Handler() { Fault_Handler(); }

void Reset_Handler();

struct VectorTable {
  constexpr VectorTable() {
    for (auto& handler : exceptions) handler = Fault_Handler;
    exceptions[0] = NMI_Handler;
#if TINYML_INTERRUPTS > 0
    for (auto& handler : interrupts) handler = Interrupt_Handler;
#endif
  }
  const std::uint32_t* stack = __stack_top;
  void (*reset)() = Reset_Handler;
  void (*exceptions[13])() = {};  ///< NMI to PendSV; faults are not enabled: they are HardFaults.
  void (*sys_tick)() = SysTick_Handler;
#if TINYML_INTERRUPTS > 0
  void (*interrupts[TINYML_INTERRUPTS])() = {};
#endif
};

extern const VectorTable kVectors;
[[gnu::section(".vectors"), gnu::used]] const VectorTable kVectors;

void Reset_Handler() {
  // VTOR: a boot loader may have left its own table there.
  *reinterpret_cast<const volatile VectorTable* volatile*>(0xE000ED08U) = &kVectors;
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
  __asm volatile("msr msplim, %0" ::"r"(__stack_bottom));  // below it the stack faults
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  // CPACR: full access to coprocessors 10 and 11, which are the floating-point unit and MVE.
  at(0xE000ED88U) = at(0xE000ED88U) | (0xFU << 20U);
#endif
#if defined(__ARM_FEATURE_MVE)
  // CCR.LOB: the cache of loops and branches, without which low-overhead loops are slow.
  at(0xE000ED14U) = at(0xE000ED14U) | (1U << 19U);
#endif
  __asm volatile("dsb\n isb" ::: "memory");
  tinyml_start_clocks();
  const std::uint32_t* from = __data_load;
  for (std::uint32_t* to = __data_start; to < __data_end; ++to) *to = *from++;
  for (std::uint32_t* to = __bss_start; to < __bss_end; ++to) *to = 0;
  for (auto* call = __init_array_start; call < __init_array_end; ++call) (*call)();
  tinyml_halt(main());
}

}  // extern "C"
