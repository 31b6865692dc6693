// The flash driver of the STM32F4 and F7 over a model of its controller, for
// tests/codegen/runtime/test_stm32_flash.py. The model is written from RM0390, chapter 3.

#include <cstdint>
#include <cstring>

#include "runtime/storage/slots.hpp"
#include "runtime/storage/stm32f4_flash.hpp"

namespace {

constexpr std::uint32_t kOrigin = 0x08004000U;
constexpr std::size_t kSector = 256;  // cut short
constexpr std::uint32_t kFirst = 1;

struct Controller {
  static inline std::uint8_t* content = nullptr;  ///< Two sectors.
  static inline bool locked = true;
  static inline bool dead = false;  ///< Locked for good: a wrong key.
  static inline bool protect = false;
  static inline int keys = 0;
  static inline std::uint32_t control = 0;
  static inline std::uint32_t errors = 0;
  static inline int busy = 0;  ///< Reads of the status until it is ready.
  static inline int violations = 0;
  static inline int operations = 0;
  static inline int cut_at = -1;

  static void reset() {
    locked = true;
    dead = protect = false;
    keys = busy = violations = operations = 0;
    control = errors = 0;
    cut_at = -1;
  }

  static bool powered() { return cut_at < 0 || operations < cut_at; }

  static std::uint32_t read(std::uint32_t address) {
    if (address == 0x40023C0CU) {
      if (busy > 0) {
        --busy;
        return errors | (1U << 16U);
      }
      return errors;
    }
    if (address == 0x40023C10U) return control | (locked ? 1U << 31U : 0U);
    const std::uint32_t offset = address - kOrigin;
    if (offset >= 2 * kSector || offset % 4 != 0 || busy > 0) {
      ++violations;
      return 0;
    }
    std::uint32_t word = 0;
    std::memcpy(&word, content + offset, sizeof(word));
    return word;
  }

  static void write(std::uint32_t address, std::uint32_t value) {
    if (busy > 0) ++violations;
    switch (address) {
      case 0x40023C04U:  // KEYR
        if (!locked || value != (keys == 0 ? 0x45670123U : 0xCDEF89ABU)) dead = true;
        if (++keys == 2 && !dead) locked = false;
        return;
      case 0x40023C0CU:  // SR: ones clear
        errors &= ~value;
        return;
      case 0x40023C10U:  // CR
        if (locked) {
          ++violations;
          return;
        }
        control = value & ~(1U << 31U) & ~(1U << 16U);
        if ((value & (1U << 31U)) != 0) {
          locked = true;
          keys = 0;
        }
        if ((value & (1U << 16U)) != 0) start();
        return;
      default:
        program(address - kOrigin, value);
    }
  }

  static void wait_for_writes() {}

 private:
  static void start() {
    if ((control & 3U) != 2U) {  // a sector's erasure is all that is modelled
      ++violations;
      return;
    }
    const std::uint32_t sector = ((control >> 3U) & 0x1FU) - kFirst;
    if (sector > 1) {
      ++violations;
      return;
    }
    busy = 5;
    if (protect) {
      errors |= 1U << 4U;  // WRPERR
      return;
    }
    if (powered()) std::memset(content + sector * kSector, 0xFF, kSector);
    ++operations;
  }

  static void program(std::uint32_t offset, std::uint32_t value) {
    if (locked || offset >= 2 * kSector || offset % 4 != 0 || (control & 3U) != 1U ||
        (control & (3U << 8U)) != (2U << 8U)) {
      ++violations;
      errors |= 1U << 7U;  // PGSERR
      return;
    }
    busy = 3;
    if (protect) {
      errors |= 1U << 4U;
      return;
    }
    std::uint32_t word = 0;
    std::memcpy(&word, content + offset, sizeof(word));
    if (word != 0xFFFFFFFFU && powered()) ++violations;
    word &= value;
    if (powered()) std::memcpy(content + offset, &word, sizeof(word));
    ++operations;
  }
};

using Flash = tinyml::Stm32F4Flash<kOrigin, kSector, kSector, kFirst, Controller>;
constexpr std::uint32_t kDigest[2] = {1, 2};

}  // namespace

extern "C" {

/// Saves `block`, or loads into `out`; returns whether that succeeded. `protect`: the sectors are
/// write-protected; from operation `cut_at` on nothing reaches the memory.
int stm32_run(std::uint8_t* content, int bytes, const std::uint8_t* block, std::uint8_t* out,
              int protect, int cut_at, int* violations, int* operations, int* locked) {
  Controller::reset();
  Controller::content = content;
  Controller::protect = protect != 0;
  Controller::cut_at = cut_at;
  Flash flash;
  tinyml::SlotStore<Flash> store(flash, static_cast<std::size_t>(bytes), kDigest);
  std::uint32_t sequence = 0;
  const bool done = block != nullptr ? store.save(block, sequence) : store.load(out, sequence);
  *violations = Controller::violations + (Controller::dead ? 1 : 0);
  *operations = Controller::operations;
  *locked = Controller::locked ? 1 : 0;
  return done ? 1 : 0;
}

}  // extern "C"
