// Dot products for Cortex-M0+, which has eight registers that every instruction takes: pointers and
// codes have these, the sums lie in the upper ones, to which only an addition can be made.
#pragma once

#include <cstdint>

namespace tinyml {
namespace conv_2d_detail {

// Sums of one run of codes with the runs of four output channels, `step` apart: 15 instructions for
// four products, where compiled C++ needs twice as many.
inline void dot4(const std::int8_t* codes, const std::int8_t* weights, std::int32_t step,
                 std::int32_t count, std::int32_t* sums) {
  if (count <= 0) return;
  const std::int8_t* const w0 = weights + count;  // runs are read from their ends, index below zero
  const std::int8_t* const w1 = w0 + step;
  const std::int8_t* const w2 = w1 + step;
  const std::int8_t* const w3 = w2 + step;
  std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  std::int32_t index = -count, code = 0, weight = 0;
  __asm volatile(
      ".syntax unified\n"  // which gcc does not expect of code for this core
      "1: ldrsb %[code], [%[codes], %[index]]\n"
      "ldrsb %[weight], [%[w0], %[index]]\n"
      "muls %[weight], %[code], %[weight]\n"
      "add %[s0], %[weight]\n"
      "ldrsb %[weight], [%[w1], %[index]]\n"
      "muls %[weight], %[code], %[weight]\n"
      "add %[s1], %[weight]\n"
      "ldrsb %[weight], [%[w2], %[index]]\n"
      "muls %[weight], %[code], %[weight]\n"
      "add %[s2], %[weight]\n"
      "ldrsb %[weight], [%[w3], %[index]]\n"
      "muls %[weight], %[code], %[weight]\n"
      "add %[s3], %[weight]\n"
      "adds %[index], #1\n"
      "bne 1b\n"
      : [index] "+l"(index), [code] "=&l"(code), [weight] "=&l"(weight), [s0] "+h"(s0),
        [s1] "+h"(s1), [s2] "+h"(s2), [s3] "+h"(s3)
      : [codes] "l"(codes + count), [w0] "l"(w0), [w1] "l"(w1), [w2] "l"(w2), [w3] "l"(w3)
      : "cc", "memory");
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

}  // namespace conv_2d_detail
}  // namespace tinyml
