// CONV_2D for SMLAD. Included by the header of the same name one folder above.
//
// The windows of a few pixels are copied to the stack, widened to 16 bits, with the zero point
// where they leave the image; then every output channel is a dot product (dot.hpp) with its
// weights. Pixels are taken in order, across the ends of rows.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/channels.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace conv_2d_detail {

// Windows of 4 pixels by up to 320 weights, 2 by 576 or 1 by 1152, and one window of codes.
constexpr std::int32_t kBufferBytes = 2880;

// Where the codes of one pixel go: every second block of `pixels` words from `words` on.
struct Slot {
  dsp::Word* words;
  std::int32_t pixels;
};

// Widens `count` codes, a multiple of 4.
inline void widen(const std::int8_t* codes, std::int32_t count, Slot& slot) {
  dsp::Word* to = slot.words;
  const std::int32_t pixels = slot.pixels;
#pragma GCC unroll 2
  for (const std::int8_t* end = codes + count; codes != end; codes += 4) {
    const dsp::Word four = dsp::load(codes);
    to[0] = dsp::even(four);
    to[pixels] = dsp::odd(four);
    to += 2 * pixels;
  }
  slot.words = to;
}

// Puts one code `count` times, a multiple of 4.
inline void fill(std::int32_t code, std::int32_t count, Slot& slot) {
  const dsp::Word word = dsp::pair(code, code);
  for (std::int32_t i = 0; i < count; i += 4) {
    slot.words[0] = slot.words[slot.pixels] = word;
    slot.words += 2 * slot.pixels;
  }
}

inline std::int8_t* copy(const std::int8_t* from, std::int32_t count, std::int8_t* to) {
  std::int32_t i = 0;
  for (; i + 4 <= count; i += 4) dsp::store(to + i, dsp::load(from + i));
  for (; i < count; ++i) to[i] = from[i];
  return to + count;
}

inline std::int8_t* repeat(std::int8_t code, std::int32_t count, std::int8_t* to) {
  for (std::int32_t i = 0; i < count; ++i) to[i] = code;
  return to + count;
}

// Copies the window of output pixel (y, x). Rows of whole words go straight to their slot; others
// are first put side by side in `codes`.
inline void copy_window(const Conv2DInt8& op, const std::int8_t* input, std::int32_t y,
                        std::int32_t x, Slot slot, std::int8_t* codes) {
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int8_t outside = op.to.input_zero_point;
  const Patch patch = patch_at(window, y, x);
  const std::int32_t left = patch.x0 * depth;
  const std::int32_t run = (patch.x1 - patch.x0) * depth;
  const std::int32_t right = (window.kernel_w - patch.x1) * depth;
  const std::int8_t* row =
      input + ((patch.top + patch.y0) * window.input.width + patch.left + patch.x0) * depth;
  std::int8_t* to = codes;
  for (std::int32_t ky = 0; ky < window.kernel_h; ++ky) {
    const bool inside = ky >= patch.y0 && ky < patch.y1;
    const std::int32_t before = inside ? left : window.kernel_w * depth;
    if (depth % 4 == 0) {
      fill(outside, before, slot);
      if (!inside) continue;
      widen(row, run, slot);
      fill(outside, right, slot);
    } else {
      to = repeat(outside, before, to);
      if (!inside) continue;
      to = copy(row, run, to);
      to = repeat(outside, right, to);
    }
    row += window.input.width * depth;
  }
  if (depth % 4 == 0) return;
  while ((to - codes) % 4 != 0) *to++ = 0;
  widen(codes, static_cast<std::int32_t>(to - codes), slot);
}

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  using namespace conv_2d_detail;
  const Window& window = op.window;
  const std::int32_t filter = window.kernel_h * window.kernel_w * window.input.channels;
  const std::int32_t span = (filter + 3) & ~3;
  const std::int32_t most = 9 * span <= kBufferBytes ? 4 : (5 * span <= kBufferBytes ? 2 : 1);
  dsp::Word buffer[kBufferBytes / 4];
  std::int32_t left = window.output.height * window.output.width, y = 0, x = 0;
  while (left > 0) {
    const std::int32_t pixels = left >= most ? most : (left >= 2 ? 2 : 1);
    // A single window may be widened where it lies, as it is read from the upper half.
    std::int8_t* codes =
        reinterpret_cast<std::int8_t*>(buffer) + (pixels == 1 ? span : 2 * pixels * span);
    for (std::int32_t i = 0; i < pixels; ++i) {
      copy_window(op, input, y, x, {buffer + i, pixels}, codes);
      if (++x == window.output.width) ++y, x = 0;
    }
    const auto channels = pixels == 4 ? dsp::channels_of<4>
                                      : (pixels == 2 ? dsp::channels_of<2> : dsp::channels_of<1>);
    channels(op, buffer, filter, output);
    output += pixels * window.output.channels;
    left -= pixels;
  }
}

}  // namespace tinyml
