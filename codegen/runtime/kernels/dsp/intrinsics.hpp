// The instructions on pairs of 16-bit numbers that the kernels of dsp/ are built from.
//
// Arm's own names, where <arm_acle.h> of gcc 12 has them; inline assembly for the rest. On a
// computer the same functions in plain C++, so that tests and sanitizers reach these kernels.
// A pair is a word: its low half comes first in memory. `even` and `odd` mean bytes 0, 2 and 1, 3.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

// Whether loops are assembly. Without optimisation they are not, as they need every register, and
// where a frame pointer is asked for they do without it.
#if defined(__ARM_FEATURE_DSP) && defined(__OPTIMIZE__)
#define TINYML_ASSEMBLY 1
#define TINYML_ALL_REGISTERS [[gnu::optimize("O2", "omit-frame-pointer")]]
#else
#define TINYML_ASSEMBLY 0
#define TINYML_ALL_REGISTERS
#endif

namespace tinyml {
namespace dsp {

using Word = std::uint32_t;

inline Word load(const std::int8_t* codes) {
  Word word;
  std::memcpy(&word, codes, sizeof(word));  // one LDR, aligned or not
  return word;
}

inline void store(std::int8_t* codes, Word word) { std::memcpy(codes, &word, sizeof(word)); }

inline constexpr Word pair(std::int32_t low, std::int32_t high) {
  return (static_cast<Word>(low) & 0xFFFFU) | (static_cast<Word>(high) << 16);
}

// Keeps the compiler from deriving a loop's addresses from other ones: registers are scarce.
template <typename Type>
inline void keep(Type*& address) {
  asm("" : "+r"(address));
}

// One code four times.
inline constexpr Word four(std::int8_t code) {
  return 0x01010101U * static_cast<std::uint8_t>(code);
}

inline constexpr std::int32_t low_half(Word word) { return static_cast<std::int16_t>(word); }
inline constexpr std::int32_t high_half(Word word) { return static_cast<std::int32_t>(word) >> 16; }

// SMULBB and SMULTT.
inline std::int32_t multiply_low(Word a, Word b) { return low_half(a) * low_half(b); }
inline std::int32_t multiply_high(Word a, Word b) { return high_half(a) * high_half(b); }

#if defined(__ARM_FEATURE_DSP)

inline Word even(Word codes) { return __sxtb16(codes); }

inline Word odd(Word codes) {
  Word halves;
  asm("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(codes));
  return halves;
}

inline Word add_even(Word sums, Word codes) { return __sxtab16(sums, codes); }

inline Word add_odd(Word sums, Word codes) {
  Word halves;
  asm("sxtab16 %0, %1, %2, ror #8" : "=r"(halves) : "r"(sums), "r"(codes));
  return halves;
}

// sum + (x * doubled + 2^31 >> 32): with doubled = 2 * multiplier - 2^32 and sum = x + more that is
// more + (x * multiplier + 2^30 >> 31), TensorFlow Lite's high multiplication of any x.
inline std::int32_t high_multiply_add(std::int32_t x, std::int32_t doubled, std::int32_t sum) {
  std::int32_t result;
  asm("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(doubled), "r"(sum));
  return result;
}

inline std::int32_t saturate(std::int32_t x) { return __ssat(x, 8); }

// Both halves doubled.
inline Word twice(Word halves) {
  Word sums;
  asm("sadd16 %0, %1, %1" : "=r"(sums) : "r"(halves));
  return sums;
}

// (a's low half, b's low half) and (a's high half, b's high half).
inline Word pack_low(Word a, Word b) {
  Word halves;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(halves) : "r"(a), "r"(b));
  return halves;
}

inline Word pack_high(Word a, Word b) {
  Word halves;
  asm("pkhtb %0, %1, %2, asr #16" : "=r"(halves) : "r"(b), "r"(a));
  return halves;
}

// Two words by one instruction, to an address that is a multiple of 4.
// NOLINTNEXTLINE(readability-non-const-parameter): assembly writes there
inline void store_two(Word* to, Word first, Word second) {
  asm("strd %1, %2, %0" : "=Q"(*reinterpret_cast<Word(*)[2]>(to)) : "r"(first), "r"(second));
}

// The larger, or the smaller, of each two bytes: SSUB8 sets the flags that SEL reads.
inline Word larger(Word a, Word b) {
  Word best;
  asm("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(best) : "r"(a), "r"(b) : "cc");
  return best;
}

inline Word smaller(Word a, Word b) {
  Word best;
  asm("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(best) : "r"(a), "r"(b) : "cc");
  return best;
}

#else

inline Word even(Word codes) {
  return pair(static_cast<std::int8_t>(codes), static_cast<std::int8_t>(codes >> 16));
}
inline Word odd(Word codes) { return even(codes >> 8); }

inline Word add_even(Word sums, Word codes) {
  const Word halves = even(codes);
  return pair(low_half(sums) + low_half(halves), high_half(sums) + high_half(halves));
}
inline Word add_odd(Word sums, Word codes) { return add_even(sums, codes >> 8); }

inline std::int32_t high_multiply_add(std::int32_t x, std::int32_t doubled, std::int32_t sum) {
  const std::int64_t product = std::int64_t{x} * doubled + (std::int64_t{1} << 31);
  return static_cast<std::int32_t>(static_cast<Word>(sum) + static_cast<Word>(product >> 32));
}

inline std::int32_t saturate(std::int32_t x) { return x < -128 ? -128 : (x > 127 ? 127 : x); }

inline Word twice(Word halves) { return pair(2 * low_half(halves), 2 * high_half(halves)); }

inline Word pack_low(Word a, Word b) { return (a & 0xFFFFU) | (b << 16); }
inline Word pack_high(Word a, Word b) { return (a >> 16) | (b & 0xFFFF0000U); }
// NOLINTNEXTLINE(readability-non-const-parameter): assembly writes there
inline void store_two(Word* to, Word first, Word second) { to[0] = first, to[1] = second; }

template <typename Choose>
inline Word choose_bytes(Word a, Word b, Choose choose) {
  Word chosen = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const auto x = static_cast<std::int8_t>(a >> shift), y = static_cast<std::int8_t>(b >> shift);
    chosen |= static_cast<Word>(static_cast<std::uint8_t>(choose(x, y) ? x : y)) << shift;
  }
  return chosen;
}

inline Word larger(Word a, Word b) {
  return choose_bytes(a, b, [](std::int8_t x, std::int8_t y) { return x > y; });
}

inline Word smaller(Word a, Word b) {
  return choose_bytes(a, b, [](std::int8_t x, std::int8_t y) { return x < y; });
}

#endif

}  // namespace dsp
}  // namespace tinyml
