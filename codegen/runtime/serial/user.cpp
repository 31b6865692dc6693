// No driver: these do nothing, and give way to functions of the same names in any other file.

#include "runtime/serial/port.hpp"

extern "C" {

[[gnu::weak]] void tinyml_uart_open() {}
[[gnu::weak]] int tinyml_uart_read() { return -1; }
[[gnu::weak]] void tinyml_uart_write(std::uint8_t /*byte*/) {}

}  // extern "C"
