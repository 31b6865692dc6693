// Dot products of one output channel's weights with the windows of a few pixels.
//
// Codes are widened and interleaved: for every 4 weights there are `Pixels` words of codes 0 and 2,
// one of each pixel, and as many of codes 1 and 3. A word of weights is then unpacked once for all
// pixels, by two instructions.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"

namespace tinyml {
namespace dsp {

// The end of interleaved codes, less 1 where their number of blocks of 4 weights is odd: this is
// how the loops, which take two blocks at a time, tell.
struct BlocksEnd {
  std::uintptr_t address;
};

template <int Pixels>
inline BlocksEnd blocks_end(const Word* codes, std::int32_t blocks) {
  const auto end = reinterpret_cast<std::uintptr_t>(codes + 2 * Pixels * blocks);
  return {end - static_cast<std::uintptr_t>(blocks & 1)};
}

#if defined(__ARM_FEATURE_DSP)

// clang-format off
#define TINYML_LOOP(block)         \
  "lsrs %[t], %[end], #1\n\t"      \
  "bcc 1f\n\t"                     \
  block                            \
  "cmp %[codes], %[end]\n\t"       \
  "bhs 2f\n\t"                     \
  "1:\n\t"                         \
  block                            \
  block                            \
  "cmp %[codes], %[end]\n\t"       \
  "blo 1b\n\t"                     \
  "2:\n\t"

#define TINYML_FOUR_PIXELS                        \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"         \
  "sxtb16 %[t], %[w]\n\t"                         \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s2], r6, %[t], %[s2]\n\t"              \
  "smlad %[s3], r8, %[t], %[s3]\n\t"              \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"         \
  "sxtb16 %[t], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s2], r6, %[t], %[s2]\n\t"              \
  "smlad %[s3], r8, %[t], %[s3]\n\t"

#define TINYML_TWO_PIXELS                         \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"         \
  "sxtb16 %[t], %[w]\n\t"                         \
  "sxtb16 %[w], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s0], r6, %[w], %[s0]\n\t"              \
  "smlad %[s1], r8, %[w], %[s1]\n\t"

#define TINYML_ONE_PIXEL                          \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldrd r4, r5, [%[codes]], #8\n\t"               \
  "sxtb16 %[t], %[w]\n\t"                         \
  "sxtb16 %[w], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s0], r5, %[w], %[s0]\n\t"
// clang-format on

// Adds to the sum of each pixel, s0 to s3, its dot product.
template <int Pixels>
inline void dot(const std::int8_t* weights, const Word* codes, BlocksEnd end, std::int32_t& s0,
                std::int32_t& s1, std::int32_t& s2, std::int32_t& s3) {
  Word w, t;
  if constexpr (Pixels == 4) {
    asm(TINYML_LOOP(TINYML_FOUR_PIXELS)
        : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [weights] "+r"(weights),
          [codes] "+r"(codes), [w] "=&r"(w), [t] "=&r"(t)
        : [end] "r"(end.address)
        : "r4", "r5", "r6", "r8", "cc", "memory");
  } else if constexpr (Pixels == 2) {
    asm(TINYML_LOOP(TINYML_TWO_PIXELS)
        : [s0] "+r"(s0), [s1] "+r"(s1), [weights] "+r"(weights), [codes] "+r"(codes), [w] "=&r"(w),
          [t] "=&r"(t)
        : [end] "r"(end.address)
        : "r4", "r5", "r6", "r8", "cc", "memory");
  } else {
    asm(TINYML_LOOP(TINYML_ONE_PIXEL)
        : [s0] "+r"(s0), [weights] "+r"(weights), [codes] "+r"(codes), [w] "=&r"(w), [t] "=&r"(t)
        : [end] "r"(end.address)
        : "r4", "r5", "cc", "memory");
  }
}

#undef TINYML_LOOP
#undef TINYML_FOUR_PIXELS
#undef TINYML_TWO_PIXELS
#undef TINYML_ONE_PIXEL

#else

template <int Pixels>
inline void dot(const std::int8_t* weights, const Word* codes, BlocksEnd end, std::int32_t& s0,
                std::int32_t& s1, std::int32_t& s2, std::int32_t& s3) {
  std::int32_t* const sums[] = {&s0, &s1, &s2, &s3};
  for (; reinterpret_cast<std::uintptr_t>(codes) < end.address; codes += 2 * Pixels, weights += 4) {
    const Word first = even(load(weights)), second = odd(load(weights));
    for (int i = 0; i < Pixels; ++i) {
      const Word a = codes[i], b = codes[Pixels + i];
      *sums[i] += multiply_low(a, first) + multiply_high(a, first);
      *sums[i] += multiply_low(b, second) + multiply_high(b, second);
    }
  }
}

#endif

}  // namespace dsp
}  // namespace tinyml
