#include <cstdio>

#include "test/io.hpp"

namespace io {
namespace {

constexpr int kMostFiles = 4;
std::FILE* files[kMostFiles];

int open(const char* path, const char* mode) {
  for (int file = 0; file < kMostFiles; ++file) {
    if (files[file] != nullptr) continue;
    files[file] = std::fopen(path, mode);
    return files[file] != nullptr ? file : -1;
  }
  return -1;
}

}  // namespace

void print(const char* text) { static_cast<void>(std::fputs(text, stdout)); }
void print(long value) { std::printf("%ld", value); }

int open_to_read(const char* path) { return open(path, "rb"); }
int open_to_write(const char* path) { return open(path, "wb"); }
bool read(int file, void* data, std::size_t bytes) {
  return std::fread(data, 1, bytes, files[file]) == bytes;
}
bool write(int file, const void* data, std::size_t bytes) {
  return std::fwrite(data, 1, bytes, files[file]) == bytes;
}
void close(int file) {
  static_cast<void>(std::fclose(files[file]));
  files[file] = nullptr;
}

void paint_stack() {}
std::size_t stack_used() { return 0; }
std::size_t stack_size() { return 0; }

}  // namespace io
