#pragma once

#include <cstdint>

// A serial port, 8 bits, no parity. One of the files beside this one implements it; for a board
// that none of them knows, define the three functions in a file of your own.
extern "C" {

/// Called before the others; and again before a fault is told of, whether it was or not.
void tinyml_uart_open();

/// The next byte that was received, or -1 when there is none. Does not wait.
int tinyml_uart_read();

/// Sends one byte; waits until there is room for it.
void tinyml_uart_write(std::uint8_t byte);
}
