// LOOKUP for MVE: 16 codes an instruction.
#pragma once

#include <cstdint>

namespace tinyml {
namespace mve {

// output = table[input + 128], for `count` codes; the output may be the input.
inline void look_up(const std::int8_t* table, std::int32_t count, const std::int8_t* input,
                    std::int8_t* output) {
  asm volatile(
      "wlstp.8 lr, %[count], 2f\n\t"
      "1: vldrb.8 q0, [%[input]], #16\n\t"
      "vadd.i8 q0, q0, %[bias]\n\t"
      "vldrb.u8 q1, [%[table], q0]\n\t"
      "vstrb.8 q1, [%[output]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:"
      : [input] "+r"(input), [output] "+r"(output)
      : [count] "r"(count), [table] "r"(table), [bias] "r"(128)
      : "q0", "q1", "lr", "cc", "memory");
}

}  // namespace mve
}  // namespace tinyml
