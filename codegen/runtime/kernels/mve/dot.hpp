// Dot products of one run of codes, or of weights, with four others: 16 products an instruction.
#pragma once

#include <arm_mve.h>

#include <cstdint>

namespace tinyml {
namespace mve {

struct FourSums {
  std::int32_t s0, s1, s2, s3;

  int32x4_t vector() const {
    int32x4_t sums;
    asm("vmov %q[sums][2], %q[sums][0], %[s0], %[s2]\n\t"
        "vmov %q[sums][3], %q[sums][1], %[s1], %[s3]"
        : [sums] "=w"(sums)
        : [s0] "r"(s0), [s1] "r"(s1), [s2] "r"(s2), [s3] "r"(s3));
    return sums;
  }
};

// Runs of any length, at the four addresses of `rows`.
inline FourSums dot(const std::int8_t* shared, const std::int8_t* row0, const std::int8_t* row1,
                    const std::int8_t* row2, const std::int8_t* row3, std::int32_t count) {
  FourSums sums = {0, 0, 0, 0};
  asm volatile(
      "dlstp.8 lr, %[count]\n\t"
      "1: vldrb.8 q0, [%[shared]], #16\n\t"
      "vldrb.8 q1, [%[row0]], #16\n\t"
      "vmladava.s8 %[s0], q0, q1\n\t"
      "vldrb.8 q2, [%[row1]], #16\n\t"
      "vmladava.s8 %[s1], q0, q2\n\t"
      "vldrb.8 q1, [%[row2]], #16\n\t"
      "vmladava.s8 %[s2], q0, q1\n\t"
      "vldrb.8 q2, [%[row3]], #16\n\t"
      "vmladava.s8 %[s3], q0, q2\n\t"
      "letp lr, 1b"
      : [shared] "+r"(shared), [row0] "+r"(row0), [row1] "+r"(row1), [row2] "+r"(row2),
        [row3] "+r"(row3), [s0] "+Te"(sums.s0), [s1] "+Te"(sums.s1), [s2] "+Te"(sums.s2),
        [s3] "+Te"(sums.s3)
      : [count] "r"(count)
      : "q0", "q1", "q2", "lr", "cc", "memory");
  return sums;
}

}  // namespace mve
}  // namespace tinyml
