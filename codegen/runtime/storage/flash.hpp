#pragma once

// What `SlotStore` needs of a flash memory. A driver is a class with these members:
//
//   static constexpr std::size_t kWriteBytes;  unit of programming, a power of two up to 32
//   static constexpr std::size_t kEraseBytes;  unit of erasing, a multiple of kWriteBytes
//   static constexpr std::size_t kSlotBytes;   half of the region, a multiple of kEraseBytes
//   bool erase(std::size_t offset);            one unit: all bits become 1
//   bool program(std::size_t offset, const std::uint8_t* data);  one unit, erased before
//   void read(std::size_t offset, void* out, std::size_t bytes);
//
// Offsets count from the start of the region, which holds two slots. `erase` and `program` return
// when the memory has finished; false means that it refused or failed.

#include <cstddef>
#include <cstdint>

namespace tinyml {

/// A board whose flash no driver knows: nothing can be saved.
struct NoFlash {
  static constexpr std::size_t kWriteBytes = 1;
  static constexpr std::size_t kEraseBytes = 1;
  static constexpr std::size_t kSlotBytes = 0;

  bool erase(std::size_t /*offset*/) { return false; }
  bool program(std::size_t /*offset*/, const std::uint8_t* /*data*/) { return false; }
  void read(std::size_t /*offset*/, void* /*out*/, std::size_t /*bytes*/) {}
};

}  // namespace tinyml
