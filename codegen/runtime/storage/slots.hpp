#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/crc32.hpp"

namespace tinyml {

/// Keeps one block of bytes (the trained head) in flash so that a power cut at any moment leaves
/// either the block that was there or the one being saved, whole.
///
/// The region holds two slots. A save erases the slot that does not hold the latest valid block,
/// programs the block, reads it back, and programs the slot's header last: until the header is
/// complete the slot does not count. `load` takes the valid slot with the later sequence number.
/// No state is kept in RAM, so that what is in flash alone decides.
///
/// Flash wears out (10,000 to 100,000 erasures of a sector): save now and then, never with every
/// sample. Each slot is erased by every second save; a block that is saved already erases nothing.
/// Numbers count on over blocks of other models: they tell how often the slots were erased.
template <typename Flash>
class SlotStore {
 public:
  static constexpr std::uint32_t kMagic = 0x484C4D54U;  // "TMLH" in memory
  static constexpr std::uint32_t kFormat = 1;

  /// In front of a slot's block. 32 bytes are a whole number of programming units everywhere.
  struct Header {
    std::uint32_t magic;
    std::uint32_t format;
    std::uint32_t sequence;
    std::uint32_t bytes;
    std::uint32_t digest[2];   ///< Of the model that the block belongs to.
    std::uint32_t block_crc;   ///< Of the block.
    std::uint32_t header_crc;  ///< Of all members before this one.
  };
  static_assert(sizeof(Header) == 32 && sizeof(Header) % Flash::kWriteBytes == 0);
  static_assert(Flash::kEraseBytes % Flash::kWriteBytes == 0 &&
                Flash::kSlotBytes % Flash::kEraseBytes == 0);

  /// Whether a part of a block, a multiple of four bytes, may be loaded.
  using Accepts = bool (*)(const void* part, std::size_t bytes);

  /// Blocks of another size, of a model with another digest, or with a part that `accepts` refuses
  /// are not valid.
  SlotStore(Flash& flash, std::size_t bytes, const std::uint32_t (&digest)[2],
            Accepts accepts = nullptr)
      : flash_(flash), bytes_(bytes), digest_{digest[0], digest[1]}, accepts_(accepts) {}

  /// Whether a slot has room for the block.
  bool fits() const { return sizeof(Header) + bytes_ <= Flash::kSlotBytes; }

  /// Copies the latest block to `out` and its number to `sequence`. False, and nothing changed,
  /// when no slot is valid.
  bool load(void* out, std::uint32_t& sequence) {
    const int slot = latest(sequence);
    if (slot < 0) return false;
    flash_.read(offset_of(slot) + sizeof(Header), out, bytes_);
    return true;
  }

  /// Saves `block`; on success `sequence` is its number. On failure the latest block stays. Where
  /// the latest block is this one, its number stays and the flash is not written.
  bool save(const void* block, std::uint32_t& sequence) {
    if (!fits()) return false;
    std::uint32_t last = 0;
    const int newest = latest(last);
    if (newest >= 0 && equals(offset_of(newest) + sizeof(Header), block)) {
      sequence = last;
      return true;
    }
    if (newest < 0) last = number_of_others();
    const int target = newest == 0 ? 1 : 0;
    const std::size_t start = offset_of(target);
    for (std::size_t at = 0; at < sizeof(Header) + bytes_; at += Flash::kEraseBytes) {
      if (!flash_.erase(start + at)) return false;
    }
    Crc32 crc;
    crc.add(block, bytes_);
    if (!program(start + sizeof(Header), block, bytes_)) return false;
    if (!holds(start + sizeof(Header), crc.value())) return false;

    Header header = {kMagic,
                     kFormat,
                     last + 1,
                     static_cast<std::uint32_t>(bytes_),
                     {digest_[0], digest_[1]},
                     crc.value(),
                     0};
    header.header_crc = crc_of(header);
    if (!program(start, &header, sizeof(header))) return false;
    if (!valid(target, header)) return false;
    sequence = header.sequence;
    return true;
  }

 private:
  static std::size_t offset_of(int slot) { return slot == 0 ? 0 : Flash::kSlotBytes; }

  static std::uint32_t crc_of(const Header& header) {
    Crc32 crc;
    crc.add(&header, offsetof(Header, header_crc));
    return crc.value();
  }

  /// Whether the flash holds an acceptable block with this CRC at `offset`.
  bool holds(std::size_t offset, std::uint32_t wanted) {
    Crc32 crc;
    alignas(4) std::uint8_t chunk[64];
    for (std::size_t rest = bytes_; rest > 0;) {
      const std::size_t part = rest < sizeof(chunk) ? rest : sizeof(chunk);
      flash_.read(offset, chunk, part);
      if (accepts_ != nullptr && !accepts_(chunk, part)) return false;
      crc.add(chunk, part);
      offset += part;
      rest -= part;
    }
    return crc.value() == wanted;
  }

  /// Whether the flash holds exactly this block at `offset`.
  bool equals(std::size_t offset, const void* block) {
    const auto* at = static_cast<const std::uint8_t*>(block);
    std::uint8_t chunk[64];
    for (std::size_t rest = bytes_; rest > 0;) {
      const std::size_t part = rest < sizeof(chunk) ? rest : sizeof(chunk);
      flash_.read(offset, chunk, part);
      if (std::memcmp(chunk, at, part) != 0) return false;
      offset += part;
      at += part;
      rest -= part;
    }
    return true;
  }

  bool whole(int slot, Header& header) {
    flash_.read(offset_of(slot), &header, sizeof(header));
    return header.magic == kMagic && header.format == kFormat &&
           header.header_crc == crc_of(header);
  }

  /// The later number of blocks that are not valid here, such as another model's; 0 for none.
  std::uint32_t number_of_others() {
    std::uint32_t number = 0;
    bool found = false;
    for (int slot = 0; slot < 2; ++slot) {
      Header header;
      if (!whole(slot, header)) continue;
      if (!found || static_cast<std::int32_t>(header.sequence - number) > 0) {
        number = header.sequence;
      }
      found = true;
    }
    return number;
  }

  bool valid(int slot, Header& header) {
    return whole(slot, header) && header.bytes == bytes_ && header.digest[0] == digest_[0] &&
           header.digest[1] == digest_[1] &&
           holds(offset_of(slot) + sizeof(Header), header.block_crc);
  }

  /// The slot with the latest valid block, or -1; its number, or 0.
  int latest(std::uint32_t& sequence) {
    sequence = 0;
    if (!fits()) return -1;
    int found = -1;
    for (int slot = 0; slot < 2; ++slot) {
      Header header;
      if (!valid(slot, header)) continue;
      // The difference of numbers that wrap: two slots are never far apart.
      if (found >= 0 && static_cast<std::int32_t>(header.sequence - sequence) <= 0) continue;
      found = slot;
      sequence = header.sequence;
    }
    return found;
  }

  /// Programs whole units; what is left of the last one stays erased.
  bool program(std::size_t offset, const void* data, std::size_t bytes) {
    const auto* at = static_cast<const std::uint8_t*>(data);
    while (bytes > 0) {
      alignas(8) std::uint8_t unit[Flash::kWriteBytes];
      const std::size_t part = bytes < sizeof(unit) ? bytes : sizeof(unit);
      std::memset(unit, 0xFF, sizeof(unit));
      std::memcpy(unit, at, part);
      if (!flash_.program(offset, unit)) return false;
      offset += sizeof(unit);
      at += part;
      bytes -= part;
    }
    return true;
  }

  Flash& flash_;
  std::size_t bytes_;
  std::uint32_t digest_[2];
  Accepts accepts_;
};

}  // namespace tinyml
