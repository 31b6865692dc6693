// The firmware: answers the requests that arrive on the serial port, see application.hpp. No
// semihosting on a board, no printf, nothing allocated: this is the program whose flash and RAM
// codegen.memory.map predicts.

#include "platform/application.hpp"
#include "platform/stack.hpp"
#include "runtime/serial/port.hpp"

namespace {

tinyml::Model model;
tinyml::BoardFlash flash;
tinyml::Application application(model, flash);

}  // namespace

int main() {
  tinyml::paint_stack();
  application.start();
  while (true) {
    const int byte = tinyml_uart_read();
    if (byte >= 0) application.receive(static_cast<std::uint8_t>(byte));
  }
}
