// The non-maskable interrupt of STM32L4 and G0 (RM0432, RM0444: FLASH_ECCR): a double word of the
// flash disagrees with its ECC by two bits. Who reads the storage asks `tinyml_flash_broken`; an
// NMI of another cause is a fault.

#include <cstdint>

extern "C" {

volatile std::uint32_t tinyml_flash_broken = 0;
void Fault_Handler();

void NMI_Handler() {
  constexpr std::uint32_t kDoubleErrors = 5U << 29U;  // ECCD, and ECCD2 of the other half
  bool found = false;
  // The G0 has a register for each bank; in the L4 the second one is reserved and reads 0.
  constexpr std::uint32_t kRegisters[] = {0x40022018U, 0x4002201CU};
  for (const std::uint32_t address : kRegisters) {
    auto& ecc = *reinterpret_cast<volatile std::uint32_t*>(address);
    const std::uint32_t errors = ecc & kDoubleErrors;
    if (errors == 0) continue;
    ecc = ecc | errors;  // ones clear
    found = true;
  }
  if (!found) return Fault_Handler();
  tinyml_flash_broken = 1;
}

}  // extern "C"
