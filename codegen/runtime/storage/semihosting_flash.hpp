#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tinyml {

/// The flash of an emulated board: a file of the host, `flash.bin` in the emulator's folder, by Arm
/// semihosting. What was written stays when the emulator is killed, as it does in a flash memory
/// whose power is cut.
///
/// To cut the power at one operation exactly, tests put its number (uint32, counted from 0 at each
/// start) into the file `power_cut.bin`: that operation is carried out by half, and the emulator
/// ends. Run on QEMU's mps2 and mps3 machines; never part of a board's firmware.
template <std::size_t kSlot>
class SemihostingFlash {
 public:
  static constexpr std::size_t kWriteBytes = 8;
  static constexpr std::size_t kEraseBytes = 4096;
  static constexpr std::size_t kSlotBytes = kSlot;

  SemihostingFlash() {
    const int cut = open("power_cut.bin", kReadBinary);
    if (cut >= 0) transfer(kRead, cut, &cut_at_, sizeof(cut_at_));
    file_ = open("flash.bin", kUpdateBinary);
    if (file_ >= 0) return;
    file_ = open("flash.bin", kCreateBinary);
    for (std::size_t at = 0; at < 2 * kSlot; at += kEraseBytes) fill(at, kEraseBytes);
  }

  bool erase(std::size_t offset) {
    if (power_fails()) {
      fill(offset, kEraseBytes / 2);
      exit();
    }
    return fill(offset, kEraseBytes);
  }

  bool program(std::size_t offset, const std::uint8_t* data) {
    std::uint8_t unit[kWriteBytes];
    read(offset, unit, sizeof(unit));
    for (std::size_t i = 0; i < kWriteBytes; ++i) {  // programming clears bits
      unit[i] = static_cast<std::uint8_t>(unit[i] & data[i]);
    }
    if (power_fails()) {
      write(offset, unit, kWriteBytes / 2);
      exit();
    }
    return write(offset, unit, sizeof(unit));
  }

  void read(std::size_t offset, void* out, std::size_t bytes) {
    seek(offset);
    transfer(kRead, file_, out, bytes);
  }

 private:
  // Operations and modes of the semihosting specification.
  enum Operation : std::uint32_t {
    kOpen = 0x01,
    kWrite = 0x05,
    kRead = 0x06,
    kSeek = 0x0A,
    kExitExtended = 0x20
  };
  enum Mode : std::uint32_t { kReadBinary = 1, kUpdateBinary = 3, kCreateBinary = 7 };

  static std::int32_t call(std::uint32_t operation, const void* arguments) {
    register std::uint32_t r0 __asm("r0") = operation;
    register const void* r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return static_cast<std::int32_t>(r0);
  }

  static std::uint32_t word(const void* pointer) {
    return reinterpret_cast<std::uint32_t>(pointer);
  }

  static int open(const char* path, Mode mode) {
    const std::uint32_t arguments[] = {word(path), mode, std::strlen(path)};
    return call(kOpen, arguments);
  }

  static bool transfer(Operation operation, int file, const void* data, std::size_t bytes) {
    const std::uint32_t arguments[] = {static_cast<std::uint32_t>(file), word(data), bytes};
    return call(operation, arguments) == 0;
  }

  static void exit() {
    const std::uint32_t arguments[] = {0x20026U, 0};  // ADP_Stopped_ApplicationExit
    call(kExitExtended, arguments);
  }

  bool seek(std::size_t offset) {
    const std::uint32_t arguments[] = {static_cast<std::uint32_t>(file_), offset};
    return call(kSeek, arguments) == 0;
  }

  bool write(std::size_t offset, const void* data, std::size_t bytes) {
    return seek(offset) && transfer(kWrite, file_, data, bytes);
  }

  bool fill(std::size_t offset, std::size_t bytes) {
    std::uint8_t erased[64];
    std::memset(erased, 0xFF, sizeof(erased));
    for (std::size_t at = 0; at < bytes; at += sizeof(erased)) {
      if (!write(offset + at, erased, sizeof(erased))) return false;
    }
    return true;
  }

  bool power_fails() { return operation_++ == cut_at_; }

  int file_ = -1;
  std::uint32_t operation_ = 0;
  std::uint32_t cut_at_ = 0xFFFFFFFFU;
};

}  // namespace tinyml
