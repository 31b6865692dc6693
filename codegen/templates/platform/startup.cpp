// Reset of any Cortex-M, without vendor code. Clocks stay as reset leaves them: a board that wants
// more speed sets them first thing in main().

#include <cstdint>

extern "C" {

extern std::uint32_t __stack_top, __data_load, __data_start, __data_end, __bss_start, __bss_end;
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();
int main();

/// What happens after main() and on a fault: stand still. Test programs replace it.
[[gnu::weak]] void tinyml_halt(int /*code*/) {
  while (true) {
  }
}

void Fault_Handler() { tinyml_halt(99); }

/// Counts the timer's wraps where platform/ticks.cpp is linked.
[[gnu::weak]] void SysTick_Handler() { Fault_Handler(); }

void Reset_Handler() {
#if defined(__ARM_FP)
  // CPACR: full access to coprocessors 10 and 11, which are the floating-point unit.
  *reinterpret_cast<volatile std::uint32_t*>(0xE000ED88U) |= 0xFU << 20U;
  __asm volatile("dsb\n isb" ::: "memory");
#endif
  const std::uint32_t* from = &__data_load;
  for (std::uint32_t* to = &__data_start; to < &__data_end; ++to) *to = *from++;
  for (std::uint32_t* to = &__bss_start; to < &__bss_end; ++to) *to = 0;
  for (auto call = __init_array_start; call < __init_array_end; ++call) (*call)();
  tinyml_halt(main());
}

union Vector {
  constexpr Vector(const std::uint32_t* address) : stack(address) {}
  constexpr Vector(void (*function)()) : handler(function) {}
  const std::uint32_t* stack;
  void (*handler)();
};

/// Vectors of the core alone: no interrupt of a peripheral is enabled.
extern const Vector kVectors[16];
[[gnu::section(".vectors"), gnu::used]] const Vector kVectors[16] = {
    &__stack_top,  Reset_Handler, Fault_Handler, Fault_Handler,   Fault_Handler, Fault_Handler,
    Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,   Fault_Handler, Fault_Handler,
    Fault_Handler, Fault_Handler, Fault_Handler, SysTick_Handler,
};

}  // extern "C"
