// DEPTHWISE_CONV_2D along one row for SMLAD. Included by the header of the same name one folder
// above.
//
// A run of codes, four channels of it, is packed on the stack in pairs of neighbours (columns.hpp).
// A window that starts between two pairs meets a kernel that was moved by one column. Few taps at
// stride 1 are convolved channel by channel (line.hpp), others four channels at a time.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/columns.hpp"
#include "runtime/kernels/dsp/line.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

TINYML_KERNEL void depthwise_conv_2d_row(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                         std::int8_t* output) {
  constexpr std::int32_t kPairs = 144;
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels, width = window.output.width;
  const std::int32_t taps = window.kernel_w, stride = window.stride_w;
  // Outputs whose codes, and one more, fit into the buffer.
  const std::int32_t most = (2 * kPairs - 1 - taps) / stride + 1;
  const std::int32_t run = run_of(window, input, output);
  const bool by_line = stride == 1 && taps <= dsp::kMostTaps && op.to.table == nullptr;
  const auto lines =
      taps > 3 ? (dsp::floors(op.to) ? dsp::convolve_more<true> : dsp::convolve_more<false>)
               : (dsp::floors(op.to) ? dsp::convolve_few<true> : dsp::convolve_few<false>);
  const auto convolve = dsp::floors(op.to) ? dsp::convolve_row<true> : dsp::convolve_row<false>;
  std::int8_t outside[4], zeros[4];
  dsp::store(outside, dsp::four(op.to.input_zero_point));
  dsp::store(zeros, 0);
  dsp::Kernel kernel;
  kernel.table = op.to.table == nullptr ? nullptr : op.to.table + 128;
  // At an odd stride every second window starts between two pairs.
  const std::int32_t phases = 1 + stride % 2;
  kernel.output_step = phases * depth;
  dsp::Word codes[4 * (kPairs + 1)];  // outputs in fours read one more
  for (std::int32_t x = 0, count = 0; x < width; x += count) {
    const std::int32_t rest = run - x % run;
    count = clamp(rest < width - x ? rest : width - x, 0, most);
    const std::int32_t left = x * stride - window.pad_left, all = (count - 1) * stride + taps + 1;
    const std::int32_t first = clamp(-left, 0, all);
    const std::int32_t inside = clamp(window.input.width - left, first, all) - first;
    for (std::int32_t from = 0; from < depth; from += 4) {
      // The last four channels may have been computed in part already.
      const std::int32_t channel = from + 4 <= depth ? from : depth - 4;
      const dsp::Source source{input + (left + first) * depth + channel, depth};
      dsp::pack_line(source, first, inside, outside, (all + 1) / 2, codes);
      if (by_line) {
        lines(op, channel, codes, count, output + x * depth + channel);
        continue;
      }
      kernel.scale(op.to, channel);
      for (std::int32_t phase = 0; phase < phases && phase < count; ++phase) {
        kernel.pairs = (taps + 1 + phase) / 2;
        kernel.weights_end = kernel.weights + 4 * kernel.pairs;
        dsp::pack_line({op.weights + channel, depth}, phase, taps, zeros, kernel.pairs,
                       kernel.weights);
        kernel.codes_step = (phases * stride / 2 - kernel.pairs) * 16;
        std::int8_t* to = output + (x + phase) * depth + channel;
        kernel.end = to + (count - phase + phases - 1) / phases * kernel.output_step;
        convolve(kernel, codes + phase * stride / 2 * 4, to);
      }
    }
  }
}

}  // namespace tinyml
