#pragma once

#include <cstddef>

namespace tinyml {

/// Fills the stack below the caller with a pattern; `stack_used` then tells how deep it has been.
void paint_stack();

/// Bytes of stack that were ever in use, and those that the linker script reserves.
std::size_t stack_used();
std::size_t stack_size();

}  // namespace tinyml
