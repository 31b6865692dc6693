// Flash drivers over models of their controllers, for tests/codegen/runtime/test_flash_drivers.py.
// The models follow RM0432 and RM0444 (chapter 3), RM0433 (4), RM0455 (5) and the nRF52840 Product
// Specification (NVMC) as public code and notes tell of them, and the boot ROM's functions of
// RP2040 and RP2350 as their datasheets do. What they forbid is a violation.

#include <cstdint>
#include <cstring>

#include "runtime/storage/nrf_flash.hpp"
#include "runtime/storage/rp_flash.cpp"
#include "runtime/storage/slots.hpp"
#include "runtime/storage/stm32h7_flash.hpp"
#include "runtime/storage/stm32l4_flash.hpp"

extern "C" {
volatile std::uint32_t tinyml_flash_broken = 0;
}

namespace {

constexpr std::size_t kSector = 256;  // cut short
constexpr std::uint32_t kKeys[2] = {0x45670123U, 0xCDEF89ABU};

/// Two sectors of memory: what is programmed once, and torn where the power failed. `broken` says
/// of each unit of ECC that it disagrees with it.
struct Memory {
  static inline std::uint8_t* content = nullptr;
  static inline std::uint8_t* broken = nullptr;
  static inline std::size_t unit = 4;
  static inline bool has_ecc = false;
  static inline bool protect = false;
  static inline int busy = 0;  ///< Reads of the status until it is ready.
  static inline int violations = 0;
  static inline int operations = 0;
  static inline int cut_at = -1;
  static inline std::uint32_t random = 1;

  static void reset() {
    busy = violations = operations = 0;
    protect = false;
    cut_at = -1;
    random = 1;
  }

  static std::uint8_t noise() {  // xorshift32 (Marsaglia 2003)
    random ^= random << 13U;
    random ^= random >> 17U;
    random ^= random << 5U;
    return static_cast<std::uint8_t>(random >> 11U);
  }

  /// Whether an operation is whole, is torn by the power's failing, or never happens.
  enum class Power : std::uint8_t { kOn, kFails, kOff };
  static Power power() {
    const int now = operations++;
    if (cut_at < 0 || now < cut_at) return Power::kOn;
    return now == cut_at ? Power::kFails : Power::kOff;
  }

  static void erase(std::size_t sector) {
    if (sector > 1) {
      ++violations;
      return;
    }
    busy = 5;
    const Power now = power();
    if (now == Power::kOff) return;
    for (std::size_t i = sector * kSector; i < (sector + 1) * kSector; ++i) {
      content[i] = now == Power::kOn ? 0xFF : noise();
      broken[i / unit] = now == Power::kOn || !has_ecc ? 0 : noise() & 1U;
    }
  }

  static void program(std::size_t offset, const std::uint8_t* data) {
    if (offset % unit != 0 || offset + unit > 2 * kSector) {
      ++violations;
      return;
    }
    busy = 3;
    const Power now = power();
    if (now == Power::kOff) return;
    for (std::size_t i = 0; i < unit; ++i) {
      if (content[offset + i] != 0xFF && now == Power::kOn) ++violations;  // once only
      const auto lost = static_cast<std::uint8_t>(now == Power::kOn ? 0 : noise());
      content[offset + i] = static_cast<std::uint8_t>(content[offset + i] & (data[i] | lost));
    }
    if (now == Power::kFails && has_ecc) broken[offset / unit] = 1;
  }

  /// A word, and whether its unit is whole.
  static std::uint32_t word(std::uint32_t offset, bool& whole) {
    whole = true;
    if (offset >= 2 * kSector || offset % 4 != 0 || busy > 0) {
      ++violations;
      return 0;
    }
    whole = !has_ecc || broken[offset / unit] == 0;
    std::uint32_t value = 0;
    std::memcpy(&value, content + offset, sizeof(value));
    return value;
  }

  static bool settle() { return busy > 0 && busy-- > 0; }
};

/// A lock that opens by two keys, in order; a wrong one closes it for good.
struct Lock {
  bool closed = true, dead = false;
  int keys = 0;

  void key(std::uint32_t value) {
    if (!closed || keys > 1 || value != kKeys[keys]) dead = true;
    if (++keys == 2 && !dead) closed = false;
  }
  void close() {
    closed = true;
    keys = 0;
  }
};

/// Words of one unit, which come in order.
struct Buffer {
  std::uint8_t bytes[32];
  std::size_t filled = 0;
  std::uint32_t start = 0;

  bool add(std::uint32_t offset, std::uint32_t value) {
    if (filled == 0) start = offset;
    if (offset != start + filled || start % Memory::unit != 0) {
      ++Memory::violations;
      return false;
    }
    std::memcpy(bytes + filled, &value, sizeof(value));
    filled += sizeof(value);
    if (filled < Memory::unit) return false;
    filled = 0;
    return true;
  }
};

Lock lock;
Buffer buffer;
std::uint32_t control = 0, errors = 0;

// --- nRF52 ---------------------------------------------------------------------------------------

struct Nrf {
  static constexpr std::uint32_t kOrigin = 0x000F8000U;
  static inline std::uint32_t config = 0;

  static std::uint32_t read(std::uint32_t address) {
    if (address == 0x4001E400U) return Memory::settle() ? 0 : 1;
    bool whole = true;
    return Memory::word(address - kOrigin, whole);
  }

  static void write(std::uint32_t address, std::uint32_t value) {
    if (Memory::busy > 0) ++Memory::violations;
    if (address == 0x4001E504U) {
      if (value > 2) ++Memory::violations;
      config = value;
    } else if (address == 0x4001E508U) {
      if (config != 2 || value % kSector != 0) ++Memory::violations;
      Memory::erase((value - kOrigin) / kSector);
    } else {
      if (config != 1) ++Memory::violations;
      std::uint8_t bytes[4];
      std::memcpy(bytes, &value, sizeof(bytes));
      Memory::program(address - kOrigin, bytes);
    }
  }

  static void wait_for_writes() {}
  static bool at_rest() { return config == 0; }
};

// --- RP2040 and RP2350
// -----------------------------------------------------------------------------

/// Stands for the boot ROM, and for the function that a program goes on by.
struct Rp {
  static constexpr std::uint32_t kOrigin = 0x101F8000U;
  static constexpr std::uint32_t kOffset = 0x001F8000U;
  enum class Flash : std::uint8_t { kExecuted, kConnected, kCommanded, kFlushed };
  static inline Flash flash = Flash::kExecuted;

  static void goes(Flash from, Flash to) {
    if (flash != from) ++Memory::violations;
    flash = to;
  }

  static void erase(std::uint32_t offset, std::size_t bytes, std::uint32_t block,
                    std::uint8_t command) {
    if (flash != Flash::kCommanded || bytes != kSector || offset % kSector != 0 || block != 65536 ||
        command != 0xD8) {
      ++Memory::violations;
    }
    Memory::erase((offset - kOffset) / kSector);
    Memory::busy = 0;  // it waits
  }

  static void program(std::uint32_t offset, const std::uint8_t* data, std::size_t bytes) {
    if (flash != Flash::kCommanded || bytes != 256 || offset % 256 != 0) ++Memory::violations;
    for (std::size_t at = 0; at < bytes; at += Memory::unit) {
      bool ones = true;
      for (std::size_t i = 0; i < Memory::unit; ++i) ones = ones && data[at + i] == 0xFF;
      if (!ones) Memory::program(offset - kOffset + at, data + at);
    }
    Memory::busy = 0;
  }

  static void resume(std::uint32_t* page) {
    std::memset(page, 0xA5, 256);  // it may be overwritten
    goes(Flash::kFlushed, Flash::kExecuted);
  }

  static tinyml::BootRomCalls calls() {
    if (flash != Flash::kExecuted) ++Memory::violations;
    return {[] { goes(Flash::kExecuted, Flash::kConnected); },
            [] { goes(Flash::kConnected, Flash::kCommanded); },
            erase,
            program,
            [] { goes(Flash::kCommanded, Flash::kFlushed); },
            resume};
  }

  static std::uint32_t read(std::uint32_t address) {
    if (flash != Flash::kExecuted) ++Memory::violations;
    bool whole = true;
    return Memory::word(address - kOrigin, whole);
  }
  static bool at_rest() { return flash == Flash::kExecuted; }
};

// --- STM32L4 and G0 ------------------------------------------------------------------------------

template <bool kG0>
struct L4 {
  static constexpr std::uint32_t kOrigin = kG0 ? 0x08078000U : 0x081F8000U;
  static constexpr std::uint32_t kFirst = kG0 ? 368 : 248;
  static constexpr std::uint32_t kBank = kG0 ? 1U << 13U : 1U << 11U;
  static constexpr std::uint32_t kPages = kG0 ? 0x3FFU : 0xFFU;
  static inline std::uint32_t access = 0x600U;
  static inline bool stale = false;  ///< The data cache holds what was there before.
  static inline bool nmi = false;

  static std::uint32_t read(std::uint32_t address) {
    switch (address) {
      case 0x40022000U:
        return access;
      case 0x40022010U:
        return errors | (Memory::settle() ? 1U << 16U : 0U);
      case 0x40022014U:
        return control | (lock.closed ? 1U << 31U : 0U);
      default:
        break;
    }
    bool whole = true;
    const std::uint32_t value = Memory::word(address - kOrigin, whole);
    if (!whole) nmi = true;
    if (!kG0 && stale) ++Memory::violations;
    return value;
  }

  static void write(std::uint32_t address, std::uint32_t value) {
    if (Memory::busy > 0) ++Memory::violations;
    switch (address) {
      case 0x40022000U:
        if ((value & (1U << 12U)) != 0) {
          if ((value & (1U << 10U)) != 0) ++Memory::violations;  // only while it is off
          stale = false;
        }
        access = value;
        return;
      case 0x40022008U:
        return lock.key(value);
      case 0x40022010U:
        errors &= ~value;
        return;
      case 0x40022014U:
        return command(value);
      default:
        break;
    }
    if (lock.closed || (control & 3U) != 1U || errors != 0) {
      ++Memory::violations;
      errors |= 1U << 7U;
      return;
    }
    if (!buffer.add(address - kOrigin, value)) return;
    stale = true;
    if (Memory::protect) {
      errors |= 1U << 4U;
    } else {
      Memory::program(buffer.start, buffer.bytes);
    }
  }

  static void wait_for_writes() {}
  static bool take_error() {
    const bool was = nmi;
    nmi = false;
    return was;
  }
  static bool at_rest() { return lock.closed && (access & 0x600U) == 0x600U; }

 private:
  static void command(std::uint32_t value) {
    if (lock.closed) {
      ++Memory::violations;
      return;
    }
    control = value & ~(1U << 31U) & ~(1U << 16U);
    if ((value & (1U << 31U)) != 0) lock.close();
    if ((value & (1U << 16U)) == 0) return;
    if ((control & 3U) != 2U || (control & kBank) == 0 || errors != 0) ++Memory::violations;
    stale = true;
    if (Memory::protect) {
      errors |= 1U << 4U;
    } else {
      Memory::erase(((control >> 3U) & kPages) - kFirst);
    }
  }
};

// --- STM32H7 -------------------------------------------------------------------------------------

template <typename Chip, std::uint32_t kAt, std::uint32_t kFirstSector>
struct H7 {
  static constexpr std::uint32_t kOrigin = kAt;
  static constexpr std::uint32_t kFirst = kFirstSector;
  static inline bool ignoring = false;

  static std::uint32_t read(std::uint32_t address) {
    if (address == 0x5200210CU) return control | (lock.closed ? 1U : 0U);
    if (address == 0x52002110U) {
      // A flash word that is not full waits for the rest.
      return errors | (Memory::settle() ? 5U : 0U) | (buffer.filled > 0 ? 2U : 0U);
    }
    bool whole = true;
    const std::uint32_t value = Memory::word(address - kOrigin, whole);
    if (whole) return value;
    errors |= 1U << 26U;
    if (!ignoring) ++Memory::violations;  // the core faults
    return 0xDEADBEEFU;
  }

  static void write(std::uint32_t address, std::uint32_t value) {
    if (Memory::busy > 0) ++Memory::violations;
    switch (address) {
      case 0x52002104U:
        return lock.key(value);
      case 0x5200210CU:
        return command(value);
      case 0x52002114U:
        errors &= ~value;
        return;
      default:
        break;
    }
    if (lock.closed || (control & 6U) != 2U || errors != 0) ++Memory::violations;
    if (!buffer.add(address - kOrigin, value)) return;
    if (Memory::protect) {
      errors |= 1U << 17U;
    } else {
      Memory::program(buffer.start, buffer.bytes);
    }
  }

  static void wait_for_writes() {}
  static void ignore_faults() { ignoring = true; }
  static void heed_faults() { ignoring = false; }
  static bool at_rest() { return lock.closed && !ignoring; }

 private:
  static void command(std::uint32_t value) {
    if (lock.closed) {
      ++Memory::violations;
      return;
    }
    control = value & ~1U & ~Chip::kStart;
    if ((value & 1U) != 0) lock.close();
    if ((value & Chip::kStart) == 0) return;
    if ((control & 6U) != 4U || errors != 0) ++Memory::violations;
    if (Memory::protect) {
      errors |= 1U << 17U;
    } else {
      Memory::erase(((control >> Chip::kNumber) & (Chip::kWord == 32 ? 7U : 127U)) - kFirst);
    }
  }
};

template <typename Controller, typename Flash>
int run(bool ecc, int bytes, const std::uint8_t* block, std::uint8_t* out, bool* rest) {
  constexpr std::uint32_t kDigest[2] = {1, 2};
  lock = Lock();
  buffer = Buffer();
  control = errors = 0;
  Memory::has_ecc = ecc;
  Memory::unit = Flash::kWriteBytes;
  Flash flash;
  tinyml::SlotStore<Flash> store(flash, static_cast<std::size_t>(bytes), kDigest);
  std::uint32_t sequence = 0;
  const bool done = block != nullptr ? store.save(block, sequence) : store.load(out, sequence);
  *rest = Controller::at_rest() && !lock.dead;
  return done ? 1 : 0;
}

using H743 = H7<tinyml::Stm32H743, 0x081C0000U, 6>;
using H7A3 = H7<tinyml::Stm32H7A3, 0x081F8000U, 124>;
template <typename C, typename Chip>
using FlashL4 = tinyml::Stm32L4Flash<Chip, C::kOrigin, kSector, kSector, C::kFirst, 2, C>;
template <typename C, typename Chip>
using FlashH7 = tinyml::Stm32H7Flash<Chip, C::kOrigin, kSector, kSector, C::kFirst, 2, C>;

}  // namespace

extern "C" {

/// Saves `block` on chip number `chip`, or loads into `out`; returns whether that succeeded.
/// `protect`: the sectors are write-protected; operation `cut_at` is torn, and all after it are
/// lost.
int flash_run(int chip, std::uint8_t* content, std::uint8_t* broken, int bytes,
              const std::uint8_t* block, std::uint8_t* out, int protect, int cut_at,
              std::uint32_t seed, int* violations, int* operations, int* at_rest) {
  Memory::reset();
  Memory::content = content;
  Memory::broken = broken;
  Memory::protect = protect != 0;
  Memory::cut_at = cut_at;
  Memory::random = seed | 1U;
  bool rest = false;
  int done = 0;
  switch (chip) {
    case 0:
      done = run<Nrf, tinyml::NrfFlash<Nrf::kOrigin, kSector, kSector, Nrf>>(false, bytes, block,
                                                                             out, &rest);
      break;
    case 1:
      done = run<L4<false>, FlashL4<L4<false>, tinyml::Stm32L4>>(true, bytes, block, out, &rest);
      break;
    case 2:
      done = run<L4<true>, FlashL4<L4<true>, tinyml::Stm32G0>>(true, bytes, block, out, &rest);
      break;
    case 3:
      done = run<H743, FlashH7<H743, tinyml::Stm32H743>>(true, bytes, block, out, &rest);
      break;
    case 4:
      done = run<H7A3, FlashH7<H7A3, tinyml::Stm32H7A3>>(true, bytes, block, out, &rest);
      break;
    default:
      done = run<Rp, tinyml::RpFlash<tinyml::Rp2350, Rp::kOrigin, kSector, kSector, Rp>>(
          false, bytes, block, out, &rest);
  }
  *violations = Memory::violations;
  *operations = Memory::operations;
  *at_rest = rest ? 1 : 0;
  return done;
}

}  // extern "C"
