// What platform/application.cpp asks of a board, from Arduino's core.

#include <Arduino.h>

#include "platform/stack.hpp"
#include "platform/ticks.hpp"

namespace tinyml {

TickSource start_ticks() { return TickSource::kMicroseconds; }
std::uint32_t ticks() { return static_cast<std::uint32_t>(micros()); }

/// The stack is the core's: how deep it was is not known here.
std::size_t stack_used() { return 0; }

}  // namespace tinyml
