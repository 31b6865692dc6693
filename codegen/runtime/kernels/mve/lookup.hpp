// LOOKUP for MVE: 16 codes an instruction.
#pragma once

#include <cstdint>

namespace tinyml {

TINYML_KERNEL void lookup(const LookupInt8& op, const std::int8_t* input, std::int8_t* output) {
  asm volatile(
      "wlstp.8 lr, %[count], 2f\n\t"
      "1: vldrb.8 q0, [%[input]], #16\n\t"
      "vadd.i8 q0, q0, %[bias]\n\t"
      "vldrb.u8 q1, [%[table], q0]\n\t"
      "vstrb.8 q1, [%[output]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:"
      : [input] "+r"(input), [output] "+r"(output)
      : [count] "r"(op.count), [table] "r"(op.table), [bias] "r"(128)
      : "q0", "q1", "lr", "cc", "memory");
}

}  // namespace tinyml
