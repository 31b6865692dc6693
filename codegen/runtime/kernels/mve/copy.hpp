// Copies of a few bytes, 16 at a time. (newlib-nano's memcpy moves single bytes.)
#pragma once

#include <arm_mve.h>

#include <cstdint>

namespace tinyml {
namespace mve {

// Both return the end of what they wrote. `count` may be 0.
inline std::int8_t* copy(const std::int8_t* from, std::int32_t count, std::int8_t* to) {
  std::int8_t* last = to;
  asm volatile(
      "wlstp.8 lr, %[count], 2f\n\t"
      "1: vldrb.8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[last]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:"
      : [from] "+r"(from), [last] "+r"(last)
      : [count] "r"(count)
      : "q0", "lr", "cc", "memory");
  return to + count;
}

inline std::int8_t* fill(std::int8_t code, std::int32_t count, std::int8_t* to) {
  std::int8_t* last = to;
  const int8x16_t codes = vdupq_n_s8(code);
  asm volatile(
      "wlstp.8 lr, %[count], 2f\n\t"
      "1: vstrb.8 %q[codes], [%[last]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:"
      : [last] "+r"(last)
      : [count] "r"(count), [codes] "w"(codes)
      : "lr", "cc", "memory");
  return to + count;
}

}  // namespace mve
}  // namespace tinyml
