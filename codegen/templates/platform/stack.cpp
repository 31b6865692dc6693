#include "platform/stack.hpp"

#include <cstdint>

extern "C" {
extern std::uint32_t __stack_bottom[], __stack_top[];
}

namespace tinyml {
namespace {

constexpr std::uint32_t kPaint = 0xC5C5C5C5U;

std::size_t address(const std::uint32_t* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

void paint_stack() {
  // The stack below this frame, less a margin for the frame itself.
  const auto* const end = static_cast<std::uint32_t*>(__builtin_frame_address(0)) - 16;
  for (volatile std::uint32_t* at = __stack_bottom; at < end; ++at) *at = kPaint;
}

std::size_t stack_used() {
  const std::uint32_t* at = __stack_bottom;
  while (at < __stack_top && *at == kPaint) ++at;
  return address(__stack_top) - address(at);
}

std::size_t stack_size() { return address(__stack_top) - address(__stack_bottom); }

}  // namespace tinyml
