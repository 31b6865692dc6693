// What happens on a fault, a non-maskable interrupt or an interrupt that nobody expects: one line
// of text on the serial port, with the registers, between zero bytes, so that the host's frames
// begin anew after it; then the chip is reset. docs/protocol.md of the generator describes the
// line, and codegen.link reads it. `tinyml_fault_put` and `tinyml_after_fault` give way to yours.

#include <cstdint>

extern "C" {

extern std::uint32_t __stack_bottom[];

// Of the port's driver, where the program has one.
[[gnu::weak]] void tinyml_uart_open();
[[gnu::weak]] void tinyml_uart_write(std::uint8_t byte);

[[gnu::weak]] void tinyml_fault_put(char letter) {
  if (&tinyml_uart_write != nullptr) tinyml_uart_write(static_cast<std::uint8_t>(letter));
}

}  // extern "C"

namespace {

volatile std::uint32_t& at(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

// Of CFSR: what failed while registers were put on the stack, which is where they are not, then.
constexpr std::uint32_t kStackingFailed = (1U << 4U) | (1U << 12U) | (1U << 20U);

/// A register by its name: a word of what was put on the stack, or one of the core's.
struct Register {
  const char* name;
  std::uint32_t place;
};
constexpr Register kStacked[] = {{"pc", 6}, {"lr", 5}, {"r0", 0},  {"r1", 1},
                                 {"r2", 2}, {"r3", 3}, {"r12", 4}, {"xpsr", 7}};
#if !defined(__ARM_ARCH_6M__)
constexpr std::uint32_t kCfsr = 0xE000ED28U;
constexpr Register kStatus[] = {
    {"cfsr", kCfsr}, {"hfsr", 0xE000ED2CU}, {"mmfar", 0xE000ED34U}, {"bfar", 0xE000ED38U}};
#endif

void put(const char* text) {
  while (*text != '\0') tinyml_fault_put(*text++);
}

void put(const char* name, std::uint32_t value) {
  tinyml_fault_put(' ');
  put(name);
  tinyml_fault_put('=');
  for (std::uint32_t shift = 32; shift > 0;) {
    shift -= 4;
    tinyml_fault_put("0123456789abcdef"[(value >> shift) & 15U]);
  }
}

/// The kind of a HardFault is in CFSR: no other fault is enabled.
const char* kind(std::uint32_t exception, std::uint32_t status, bool stacked) {
  if (exception == 2) return "NMI";
  if (exception >= 16) return "interrupt";
  if (!stacked) return "stack";
  if ((status >> 16U) != 0) return "UsageFault";
  if ((status & 0xFF00U) != 0) return "BusFault";
  return status != 0 ? "MemManage" : "HardFault";
}

}  // namespace

extern "C" {

/// Resets the chip; a debugger that is connected stops here instead.
[[gnu::weak]] void tinyml_after_fault() {
#if !defined(__ARM_ARCH_6M__)
  if ((at(0xE000EDF0U) & 1U) != 0) __asm volatile("bkpt 0");  // DHCSR.C_DEBUGEN
#endif
  __asm volatile("dsb" ::: "memory");
  at(0xE000ED0CU) = 0x05FA0004U;  // AIRCR.SYSRESETREQ
}

[[gnu::used]] void tinyml_tell_fault(const std::uint32_t* frame, std::uint32_t exception_return) {
  std::uint32_t exception = 0;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
#if defined(__ARM_ARCH_6M__)
  const std::uint32_t status = 0;
#else
  const std::uint32_t status = at(kCfsr);
#endif
  const bool stacked = (status & kStackingFailed) == 0 && frame >= __stack_bottom;
  if (&tinyml_uart_open != nullptr) tinyml_uart_open();  // again, if it was: it may not have been
  tinyml_fault_put('\0');
  put("FAULT ");
  put(kind(exception, status, stacked));
  put("ipsr", exception);
  if (stacked && (exception_return >> 24U) == 0xFFU) {
    for (const Register& one : kStacked) put(one.name, frame[one.place]);
  }
#if !defined(__ARM_ARCH_6M__)
  for (const Register& one : kStatus) put(one.name, at(one.place));
  at(kCfsr) = status;  // ones clear: the next fault has bits of its own
#endif
  put("\r\n");
  for (int i = 0; i < 4; ++i) tinyml_fault_put('\0');  // a reset may cut off what is not yet sent
  tinyml_after_fault();
  while (true) {
  }
}

/// The stack may have overflowed: what tells of the fault gets it anew, and does not return.
[[gnu::naked]] void Fault_Handler() {
  __asm volatile(
      "mov r1, lr\n"
      "mrs r0, msp\n"
      "movs r2, #4\n"
      "tst r1, r2\n"  // EXC_RETURN: which stack it was
      "beq 1f\n"
      "mrs r0, psp\n"
      "1: ldr r2, =__stack_top\n"
      "msr msp, r2\n"
      "ldr r2, =tinyml_tell_fault\n"
      "bx r2\n"
      ".ltorg\n");
}

}  // extern "C"
