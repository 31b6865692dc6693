#pragma once

#include <cstddef>

/// The little of a host that test programs need: standard files on a computer, semihosting calls on
/// a board or its emulator.
namespace io {

void print(const char* text);
void print(long value);

/// A handle for `read` or `write`, negative when the file cannot be opened.
int open_to_read(const char* path);
int open_to_write(const char* path);
/// True when all `bytes` were read or written.
bool read(int file, void* data, std::size_t bytes);
bool write(int file, const void* data, std::size_t bytes);
void close(int file);

/// Fills the unused stack with a pattern; `stack_used` then tells how deep it has been, in bytes.
/// A computer's stack is not watched: it reports 0 of 0.
void paint_stack();
std::size_t stack_used();
std::size_t stack_size();

}  // namespace io
