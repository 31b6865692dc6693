// What ordinary C++ asks of a system below newlib: a heap in the RAM that is left, an end, and
// files that are not there. Nothing of the project itself uses these, and what is not used is not
// linked; a function of the same name in any other file takes the place of one here.

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

extern "C" {

extern std::uint8_t __heap_start[], __heap_end[];
void tinyml_halt(int code);

// These names are newlib's and the C++ library's.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/// Of the program itself: what its global objects' destructors are registered with.
[[gnu::weak]] void* __dso_handle = nullptr;

/// Grows the heap, from the end of what is static to the end of the RAM. Fails beyond.
[[gnu::weak]] void* _sbrk(std::ptrdiff_t bytes) {
  static std::ptrdiff_t used;
  const auto whole = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(__heap_end) -
                                                 reinterpret_cast<std::uintptr_t>(__heap_start));
  if (bytes > whole - used || bytes < -used) {
    errno = ENOMEM;
    return reinterpret_cast<void*>(-1);  // as POSIX has it
  }
  used += bytes;
  return __heap_start + used - bytes;
}

[[gnu::weak, noreturn]] void _exit(int code) {
  tinyml_halt(code);
  while (true) {
  }
}

[[gnu::weak]] int _kill(int /*process*/, int signal) { _exit(signal); }
[[gnu::weak]] int _getpid() { return 1; }

/// printf is nowhere seen unless a _write of yours sends it somewhere.
[[gnu::weak]] int _write(int /*file*/, const char* /*text*/, int bytes) { return bytes; }
[[gnu::weak]] int _read(int /*file*/, char* /*text*/, int /*bytes*/) { return 0; }
[[gnu::weak]] int _close(int /*file*/) { return -1; }
[[gnu::weak]] int _lseek(int /*file*/, int /*offset*/, int /*whence*/) { return 0; }
[[gnu::weak]] int _isatty(int /*file*/) { return 1; }
[[gnu::weak]] int _fstat(int /*file*/, struct stat* status) {
  status->st_mode = S_IFCHR;
  return 0;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

}  // extern "C"
