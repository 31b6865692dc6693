// What the element-wise kernels share: rows of operands that lie side by side, 16 codes at a time.
#pragma once

#include <arm_mve.h>

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"

namespace tinyml {
namespace mve {

// output = function(codes of a, codes of b), for operands that move by 1 in the innermost loop.
template <typename Function>
inline void for_each_16(const Broadcast& loops, const std::int8_t* a, const std::int8_t* b,
                        std::int8_t* output, Function function) {
  for (std::int32_t i = 0; i < loops.size[0]; ++i) {
    for (std::int32_t j = 0; j < loops.size[1]; ++j) {
      const std::int8_t* from_a = a + i * loops.step_a[0] + j * loops.step_a[1];
      const std::int8_t* from_b = b + i * loops.step_b[0] + j * loops.step_b[1];
      for (std::int32_t left = loops.size[2]; left > 0; left -= 16) {
        const mve_pred16_t present = vctp8q(static_cast<std::uint32_t>(left));
        const int8x16_t x = vldrbq_z_s8(from_a, present), y = vldrbq_z_s8(from_b, present);
        vstrbq_p_s8(output, function(x, y), present);
        from_a += 16, from_b += 16;
        output += left < 16 ? left : 16;
      }
    }
  }
}

// One code of the lanes 4 i + j, in the upper byte, from each vector j.
inline int8x16_t pack(int32x4_t v0, int32x4_t v1, int32x4_t v2, int32x4_t v3) {
  v3 = vsriq_n_s32(v3, v2, 8);
  v3 = vsriq_n_s32(v3, v1, 16);
  return vreinterpretq_s8_s32(vsriq_n_s32(v3, v0, 24));
}

}  // namespace mve
}  // namespace tinyml
