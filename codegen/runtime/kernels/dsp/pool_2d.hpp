// Pooling for SMLAD's cores, four channels at a time. Included by the header one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/sums.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace pool_detail {

// visit(patch, corner, output) for every pixel and four channels; `corner` is the patch's first
// code.
template <typename Visit>
inline void for_each_four(const Window& window, const std::int8_t* input, std::int8_t* output,
                          Visit visit) {
  const std::int32_t depth = window.input.channels;
  for (std::int32_t y = 0; y < window.output.height; ++y) {
    for (std::int32_t x = 0; x < window.output.width; ++x, output += depth) {
      const Patch patch = patch_at(window, y, x);
      const std::int8_t* corner =
          input + ((patch.top + patch.y0) * window.input.width + patch.left + patch.x0) * depth;
      for (std::int32_t from = 0; from < depth; from += 4) {
        // The last four channels may have been computed in part already.
        const std::int32_t channel = from + 4 <= depth ? from : depth - 4;
        visit(patch, corner + channel, output + channel);
      }
    }
  }
}

}  // namespace pool_detail

TINYML_KERNEL void max_pool_2d(const PoolInt8& op, const std::int8_t* input, std::int8_t* output) {
  const std::int32_t depth = op.window.input.channels;
  const std::int32_t row = op.window.input.width * depth;
  const dsp::Word low = dsp::four(op.low), high = dsp::four(op.high);
  pool_detail::for_each_four(op.window, input, output,
                             [=](const Patch& patch, const std::int8_t* corner, std::int8_t* to) {
                               dsp::Word best = low;
                               for (std::int32_t y = patch.y0; y < patch.y1; ++y, corner += row) {
                                 const std::int8_t* cell = corner;
                                 for (std::int32_t x = patch.x0; x < patch.x1; ++x, cell += depth) {
                                   best = dsp::larger(best, dsp::load(cell));
                                 }
                               }
                               dsp::store(to, dsp::smaller(best, high));
                             });
}

TINYML_KERNEL void average_pool_2d(const PoolInt8& op, const std::int8_t* input,
                                   std::int8_t* output) {
  const std::int32_t depth = op.window.input.channels;
  const std::int32_t row = op.window.input.width * depth;
  pool_detail::for_each_four(
      op.window, input, output,
      [=, &op](const Patch& patch, const std::int8_t* corner, std::int8_t* to) {
        dsp::FourSums sums;
        for (std::int32_t y = patch.y0; y < patch.y1; ++y, corner += row) {
          dsp::sum_codes(corner, depth, patch.x1 - patch.x0, sums);
        }
        const std::int32_t count = (patch.y1 - patch.y0) * (patch.x1 - patch.x0);
        for (std::int32_t i = 0; i < 4; ++i) {  // to nearest, ties away from zero
          const std::int32_t sum = sums[i];
          const std::int32_t code = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
          to[i] = static_cast<std::int8_t>(clamp(code, op.low, op.high));
        }
      });
}

}  // namespace tinyml
