// DEPTHWISE_CONV_2D for SMLAD. Included by the header of the same name one folder above.
//
// For every row and four channels, columns of codes are packed on the stack (columns.hpp), with the
// zero point where windows leave the image. The windows of neighbouring pixels share them.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/columns.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace depthwise_detail {

constexpr std::int32_t kColumnWords = 576;  // 96 columns for a 3x3 kernel, 41 for 7x7

// Outputs of a row that are made together: the first of the columns that they need in the image,
// and which of these are inside.
struct Columns {
  std::int32_t outputs, left, first, inside;

  Columns(const Window& window, std::int32_t x, std::int32_t most)
      : outputs(clamp(window.output.width - x, 0, most)),
        left(x * window.stride_w - window.pad_left) {
    const std::int32_t all = (outputs - 1) * window.stride_w + window.kernel_w;
    first = clamp(-left, 0, all);
    inside = clamp(window.input.width - left, first, all) - first;
  }
};

// Four channels of the kernel.
inline void pack_kernel(const DepthwiseConv2DInt8& op, std::int32_t channel, dsp::Kernel& kernel) {
  const Window& window = op.window;
  const std::int32_t channels = window.output.channels, row = window.kernel_w * channels;
  const dsp::Source first{op.weights + channel, channels};
  if (window.kernel_h == 3) {
    dsp::pack_three_rows(first, row, window.kernel_w, kernel.weights);
  } else {
    dsp::pack_columns(first, row, window.kernel_h, 0, window.kernel_h, nullptr, window.kernel_w,
                      kernel.weights);
  }
  kernel.scale(op.to, channel);
}

}  // namespace depthwise_detail

TINYML_KERNEL void depthwise_conv_2d(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                     std::int8_t* output) {
  using namespace depthwise_detail;
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels, width = window.output.width;
  const std::int32_t image_row = window.input.width * depth;
  const std::int32_t words = dsp::column_words(window.kernel_h / 2);
  // Outputs of a row whose columns fit into the buffer.
  const std::int32_t most = (kColumnWords / words - window.kernel_w) / window.stride_w + 1;
  dsp::Kernel kernel;
  if (window.kernel_h % 2 == 0) {
    for (dsp::Word& weight : kernel.weights) weight = 0;  // those of the last row stay so
  }
  kernel.table = op.to.table == nullptr ? nullptr : op.to.table + 128;
  kernel.codes_step = (window.stride_w - window.kernel_w) * words * 4;
  kernel.output_step = depth;
  kernel.pairs = window.kernel_h / 2;
  kernel.columns = window.kernel_w;
  // Columns that are not packed are outside the image. Those of a row stay so.
  std::int8_t outside[4];
  dsp::store(outside, dsp::four(op.to.input_zero_point));
  dsp::Word columns[kColumnWords];
  const auto convolve = dsp::floors(op.to) ? dsp::convolve<true> : dsp::convolve<false>;
  const auto clear = [&] {
    for (dsp::Word& word : columns) word = dsp::even(dsp::load(outside));
  };
  clear();
  const Columns start(window, 0, most);
  for (std::int32_t y = 0; y < window.output.height; ++y, output += width * depth) {
    const std::int32_t top = y * window.stride_h - window.pad_top;
    const std::int32_t y0 = clamp(-top, 0, window.kernel_h);
    const std::int32_t y1 = clamp(window.input.height - top, y0, window.kernel_h);
    for (std::int32_t from = 0; from < depth; from += 4) {
      // The last four channels may have been computed in part already.
      const std::int32_t channel = from + 4 <= depth ? from : depth - 4;
      pack_kernel(op, channel, kernel);
      for (std::int32_t x = 0; x < width; x += most) {
        if (most < width) clear();
        const Columns part = x == 0 ? start : Columns(window, x, most);
        const std::int8_t* corner =
            input + top * image_row + (part.left + part.first) * depth + channel;
        dsp::Word* first = columns + part.first * words;
        if (window.kernel_h == 3 && y1 - y0 == 3) {
          dsp::pack_three_rows({corner, depth}, image_row, part.inside, first);
        } else {
          dsp::pack_columns({corner, depth}, image_row, window.kernel_h, y0, y1, outside,
                            part.inside, first);
        }
        std::int8_t* to = output + x * depth + channel;
        kernel.end = to + part.outputs * depth;
        convolve(kernel, columns, to);
      }
    }
  }
}

}  // namespace tinyml
