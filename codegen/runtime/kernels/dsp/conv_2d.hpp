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

// Codes of one pixel go to every second block of `pixels` words. These functions return the address
// behind what they put there.

// Widens `count` codes, a multiple of 4.
[[gnu::noinline]] inline dsp::Word* widen(const std::int8_t* codes, std::int32_t count,
                                          dsp::Word* to, std::int32_t pixels) {
  const std::int8_t* end = codes + count;
  const auto next = [&] {
    const dsp::Word four = dsp::load(codes);
    to[0] = dsp::even(four);
    to[pixels] = dsp::odd(four);
    to += 2 * pixels;
    codes += 4;
  };
  while (end - codes >= 16) next(), next(), next(), next();
  while (codes != end) next();
  return to;
}

// Puts one code `count` times, a multiple of 4.
inline dsp::Word* fill(std::int32_t code, std::int32_t count, dsp::Word* to, std::int32_t pixels) {
  const dsp::Word word = dsp::pair(code, code);
  for (; count > 0; count -= 4, to += 2 * pixels) to[0] = to[pixels] = word;
  return to;
}

// The same for codes that stay as they are.
inline std::int8_t* copy(const std::int8_t* from, std::int32_t count, std::int8_t* to) {
  for (; count >= 4; count -= 4, from += 4, to += 4) {
    dsp::keep(from);  // the C library's memcpy, which would be called instead, goes byte by byte
    dsp::store(to, dsp::load(from));
  }
  for (; count > 0; --count) {
    dsp::keep(from);
    *to++ = *from++;
  }
  return to;
}

inline std::int8_t* repeat(std::int32_t code, std::int32_t count, std::int8_t* to) {
  for (; count > 0; --count) *to++ = static_cast<std::int8_t>(code);
  return to;
}

// Copies windows from an image. Rows of whole words are widened as they are; others are first put
// side by side in `codes`, where zeros follow until there is a multiple of 4.
struct Windows {
  const Window& window;
  const std::int8_t* input;
  std::int32_t outside;  // the code that stands for what is not in the image
  std::int32_t depth = window.input.channels;
  std::int32_t image_row = window.input.width * depth;
  std::int32_t row = window.kernel_w * depth;
  std::int32_t filter = window.kernel_h * row;
  std::int32_t span = (filter + 3) & ~3;

  // The window whose first code is (top, left) in the image.
  void copy(std::int32_t top, std::int32_t left, dsp::Word* to, std::int32_t pixels,
            std::int8_t* codes) const {
    const bool whole = top >= 0 && top + window.kernel_h <= window.input.height && left >= 0 &&
                       left + window.kernel_w <= window.input.width;
    dsp::store(codes + span - 4, 0);
    if (whole) {
      const std::int8_t* from = input + top * image_row + left * depth;
      std::int8_t* next = codes;
      dsp::Word* word = to;
      for (std::int32_t y = window.kernel_h; y > 0; --y, from += image_row) {
        if (depth % 4 == 0) {
          word = widen(from, row, word, pixels);
        } else {
          next = conv_2d_detail::copy(from, row, next);
        }
      }
    } else {
      copy_cut(top, left, to, pixels, codes);
    }
    if (depth % 4 != 0) widen(codes, span, to, pixels);
  }

  // The same for windows that leave the image, without the second step.
  [[gnu::noinline]] void copy_cut(std::int32_t top, std::int32_t left, dsp::Word* to,
                                  std::int32_t pixels, std::int8_t* codes) const {
    const std::int32_t x0 = clamp(-left, 0, window.kernel_w);
    const std::int32_t x1 = clamp(window.input.width - left, x0, window.kernel_w);
    const std::int8_t* from = input + top * image_row + (left + x0) * depth;
    for (std::int32_t y = top; y < top + window.kernel_h; ++y, from += image_row) {
      const bool inside = y >= 0 && y < window.input.height;
      const std::int32_t run = inside ? (x1 - x0) * depth : 0;
      const std::int32_t before = inside ? x0 * depth : row;
      if (depth % 4 == 0) {
        to = fill(outside, before, to, pixels);
        to = widen(from, run, to, pixels);
        to = fill(outside, row - run - before, to, pixels);
      } else {
        codes = repeat(outside, before, codes);
        codes = conv_2d_detail::copy(from, run, codes);
        codes = repeat(outside, row - run - before, codes);
      }
    }
  }
};

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  using namespace conv_2d_detail;
  const Window& window = op.window;
  const Windows windows{window, input, op.to.input_zero_point};
  const std::int32_t span = windows.span;
  const std::int32_t most = 9 * span <= kBufferBytes ? 4 : (5 * span <= kBufferBytes ? 2 : 1);
  dsp::Word buffer[kBufferBytes / 4];
  std::int32_t left = window.output.height * window.output.width, y = 0, x = 0;
  while (left > 0) {
    const std::int32_t pixels = left >= most ? most : (left >= 2 ? 2 : 1);
    // A single window may be widened where it lies, as it is read from the upper half.
    const std::int32_t widened = pixels == 1 ? span : 2 * pixels * span;
    std::int8_t* codes = reinterpret_cast<std::int8_t*>(buffer) + widened;
    for (std::int32_t i = 0; i < pixels; ++i) {
      windows.copy(y * window.stride_h - window.pad_top, x * window.stride_w - window.pad_left,
                   buffer + i, pixels, codes);
      if (++x == window.output.width) ++y, x = 0;
    }
    const auto channels = pixels == 4   ? dsp::channels_of<4>
                          : pixels == 2 ? dsp::channels_of<2>
                                        : dsp::channels_of<1>;
    channels(op, buffer, windows.filter, output);
    output += pixels * window.output.channels;
    left -= pixels;
  }
}

}  // namespace tinyml
