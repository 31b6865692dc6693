// The firmware for MLPerf Tiny's runner, see mlperf.hpp. Nothing allocated, no printf.

#include "platform/mlperf.hpp"
#include "runtime/serial/port.hpp"

#ifndef TINYML_CORE_HZ
#define TINYML_CORE_HZ 1000000
#endif

/// Sets the clocks, and gives the core's rate in hertz. This one leaves them as they are after
/// reset; a function of this name in a file of yours takes its place.
extern "C" [[gnu::weak]] std::uint32_t tinyml_set_clocks() { return TINYML_CORE_HZ; }

namespace {

tinyml::Runner runner;

}  // namespace

int main() {
  runner.start(tinyml_set_clocks());
  while (true) {
    const int byte = tinyml_uart_read();
    if (byte >= 0) runner.receive(static_cast<char>(byte));
  }
}
