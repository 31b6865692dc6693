// The loops of element-wise operators whose operands repeat along axes of size one.
#pragma once

#include <cstdint>

namespace tinyml {

// Sizes of three nested loops, outermost first, and how far each operand moves in each of them.
struct Broadcast {
  std::int32_t size[3];
  std::int32_t step_a[3];
  std::int32_t step_b[3];
};

// output[i] = function(a[...], b[...]) in the output's order. The output may lie over an operand
// of its own shape.
template <typename Element, typename Function>
inline void for_each_pair(const Broadcast& loops, const Element* a, const Element* b,
                          Element* output, Function function) {
  const std::int32_t* n = loops.size;
  const std::int32_t* da = loops.step_a;
  const std::int32_t* db = loops.step_b;
  for (std::int32_t i = 0; i < n[0]; ++i) {
    for (std::int32_t j = 0; j < n[1]; ++j) {
      const Element* pa = a + i * da[0] + j * da[1];
      const Element* pb = b + i * db[0] + j * db[1];
      for (std::int32_t k = 0; k < n[2]; ++k, pa += da[2], pb += db[2]) {
        *output++ = function(*pa, *pb);
      }
    }
  }
}

}  // namespace tinyml
