// AVERAGE_POOL_2D and MAX_POOL_2D on NHWC images. Cells outside the image do not count.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

struct PoolFloat {
  Window window;
  float low, high;
};

namespace pool_detail {

// function(cells of one channel and window) for every output element. `Reduce` folds a cell into
// the accumulator, `Finish` makes the output of the accumulator and the number of cells.
template <typename Op, typename Element, typename Sum, typename Reduce, typename Finish>
inline void pool(const Op& op, const Element* input, Element* output, Sum start, Reduce reduce,
                 Finish finish) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x) {
      const Patch patch = patch_at(window, y, x);
      const std::int32_t count = (patch.y1 - patch.y0) * (patch.x1 - patch.x0);
      for (std::int32_t channel = 0; channel < depth; ++channel) {
        Sum sum = start;
        for (std::int32_t row = patch.y0; row < patch.y1; ++row) {
          const Element* cell =
              input + ((patch.top + row) * window.input.width + patch.left + patch.x0) * depth +
              channel;
          for (std::int32_t column = patch.x0; column < patch.x1; ++column, cell += depth) {
            sum = reduce(sum, static_cast<Sum>(*cell));
          }
        }
        *output++ = static_cast<Element>(
            clamp(finish(sum, count), static_cast<Sum>(op.low), static_cast<Sum>(op.high)));
      }
    }
  }
}

}  // namespace pool_detail

TINYML_KERNEL void average_pool_2d_any(const PoolInt8& op, const std::int8_t* input,
                                       std::int8_t* output) {
  pool_detail::pool(
      op, input, output, std::int32_t{0},
      [](std::int32_t sum, std::int32_t cell) { return sum + cell; },
      [](std::int32_t sum, std::int32_t count) {  // to nearest, ties away from zero
        return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
      });
}

TINYML_KERNEL void average_pool_2d(const PoolFloat& op, const float* input, float* output) {
  pool_detail::pool(
      op, input, output, 0.0F, [](float sum, float cell) { return sum + cell; },
      [](float sum, std::int32_t count) { return sum / static_cast<float>(count); });
}

TINYML_KERNEL void max_pool_2d_any(const PoolInt8& op, const std::int8_t* input,
                                   std::int8_t* output) {
  pool_detail::pool(
      op, input, output, std::int32_t{-128},
      [](std::int32_t best, std::int32_t cell) { return cell > best ? cell : best; },
      [](std::int32_t best, std::int32_t) { return best; });
}

TINYML_KERNEL void max_pool_2d(const PoolFloat& op, const float* input, float* output) {
  pool_detail::pool(
      op, input, output, -3.4028235e+38F,
      [](float best, float cell) { return cell > best ? cell : best; },
      [](float best, std::int32_t) { return best; });
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/pool_2d.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/pool_2d.hpp"
#else
namespace tinyml {

inline void average_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  average_pool_2d_any(op, input, output);
}

inline void max_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  max_pool_2d_any(op, input, output);
}

}  // namespace tinyml
#endif
