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

// function(a, b, output, count) for the runs of the innermost loop, in the output's order.
template <typename Element, typename Function>
inline void for_each_row(const Broadcast& loops, const Element* a, const Element* b,
                         Element* output, Function function) {
  const std::int32_t* n = loops.size;
  const std::int32_t* da = loops.step_a;
  const std::int32_t* db = loops.step_b;
  for (std::int32_t i = 0; i < n[0]; ++i) {
    for (std::int32_t j = 0; j < n[1]; ++j, output += n[2]) {
      function(a + i * da[0] + j * da[1], b + i * db[0] + j * db[1], output, n[2]);
    }
  }
}

// output[i] = function(a[...], b[...]) in the output's order. The output may lie over an operand
// of its own shape.
template <typename Element, typename Function>
inline void for_each_pair(const Broadcast& loops, const Element* a, const Element* b,
                          Element* output, Function function) {
  const std::int32_t step_a = loops.step_a[2], step_b = loops.step_b[2];
  for_each_row(loops, a, b, output,
               [=](const Element* pa, const Element* pb, Element* to, std::int32_t count) {
                 for (std::int32_t k = 0; k < count; ++k, pa += step_a, pb += step_b) {
                   *to++ = function(*pa, *pb);
                 }
               });
}

}  // namespace tinyml
