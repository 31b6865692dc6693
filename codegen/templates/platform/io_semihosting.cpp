// io.hpp by Arm semihosting (the specification's operation numbers), which QEMU and debuggers
// serve.

#include <cstdint>
#include <cstring>

#include "platform/stack.hpp"
#include "test/io.hpp"

extern "C" void tinyml_halt(int code);

namespace {

std::int32_t semihost(std::uint32_t operation, const void* argument) {
  register std::uint32_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return static_cast<std::int32_t>(r0);
}

std::uint32_t word(const void* pointer) { return reinterpret_cast<std::uint32_t>(pointer); }

int open(const char* path, std::uint32_t mode) {
  const std::uint32_t arguments[] = {word(path), mode, std::strlen(path)};
  return semihost(0x01, arguments);
}

}  // namespace

/// Ends the emulator with `code` as its exit status.
void tinyml_halt(int code) {
  constexpr std::uint32_t kApplicationExit = 0x20026;
  const std::uint32_t arguments[] = {kApplicationExit, static_cast<std::uint32_t>(code)};
  semihost(0x20, arguments);
  while (true) {
  }
}

// A fault is told by the emulator, and ends it.
extern "C" void tinyml_fault_put(char letter) { semihost(0x03, &letter); }
extern "C" void tinyml_after_fault() { tinyml_halt(99); }

namespace io {

void print(const char* text) { semihost(0x04, text); }

void print(long value) {
  char digits[12];
  char* at = digits + sizeof(digits) - 1;
  *at = '\0';
  unsigned long rest =
      value < 0 ? 0UL - static_cast<unsigned long>(value) : static_cast<unsigned long>(value);
  do {
    *--at = static_cast<char>('0' + rest % 10U);
    rest /= 10U;
  } while (rest != 0);
  if (value < 0) *--at = '-';
  print(at);
}

int open_to_read(const char* path) { return open(path, 1); }   // "rb"
int open_to_write(const char* path) { return open(path, 5); }  // "wb"

bool read(int file, void* data, std::size_t bytes) {
  const std::uint32_t arguments[] = {static_cast<std::uint32_t>(file), word(data), bytes};
  return semihost(0x06, arguments) == 0;
}

bool write(int file, const void* data, std::size_t bytes) {
  const std::uint32_t arguments[] = {static_cast<std::uint32_t>(file), word(data), bytes};
  return semihost(0x05, arguments) == 0;
}

void close(int file) {
  const std::uint32_t arguments[] = {static_cast<std::uint32_t>(file)};
  semihost(0x02, arguments);
}

void paint_stack() { tinyml::paint_stack(); }
std::size_t stack_used() { return tinyml::stack_used(); }
std::size_t stack_size() { return tinyml::stack_size(); }

}  // namespace io
