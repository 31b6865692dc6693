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
#if TINYML_ASSEMBLY
  // clang-format off
#define TINYML_WIDEN                              \
  "ldr %[odd], [%[codes]], #4\n\t"                \
  "sxtb16 %[even], %[odd]\n\t"                    \
  "sxtb16 %[odd], %[odd], ror #8\n\t"             \
  "str %[even], [%[to]]\n\t"                      \
  "str %[odd], [%[to], %[step]]\n\t"              \
  "add %[to], %[to], %[step], lsl #1\n\t"
  // clang-format on
  dsp::Word even, odd;
  asm volatile(
      "b 2f\n"
      "1:\n\t" TINYML_WIDEN TINYML_WIDEN TINYML_WIDEN TINYML_WIDEN
      "2:\n\t"
      "cmp %[codes], %[most]\n\t"
      "bne 1b\n\t"
      "b 4f\n"
      "3:\n\t" TINYML_WIDEN
      "4:\n\t"
      "cmp %[codes], %[end]\n\t"
      "bne 3b\n\t"
      : [even] "=&r"(even), [odd] "=&r"(odd), [codes] "+r"(codes), [to] "+r"(to)
      : [step] "r"(4 * pixels), [most] "r"(codes + (count & ~15)), [end] "r"(end)
      : "cc", "memory");
#undef TINYML_WIDEN
#else
  for (; codes != end; codes += 4, to += 2 * pixels) {
    const dsp::Word four = dsp::load(codes);
    to[0] = dsp::even(four);
    to[pixels] = dsp::odd(four);
  }
#endif
  return to;
}

// Widens the `count` codes, a multiple of 4, of each of four pixels that follow each other.
inline void widen_four(const std::int8_t* codes, std::int32_t count, dsp::Word* to) {
#if TINYML_ASSEMBLY
  const std::int8_t* fourth = codes + 3 * count;
  asm volatile(
      "1:\n\t"
      "ldr r5, [%[codes], %[count]]\n\t"
      "ldr r6, [%[codes], %[count], lsl #1]\n\t"
      "ldr r8, [%[fourth]], #4\n\t"
      "ldr r4, [%[codes]], #4\n\t"
      "sxtb16 r10, r5\n\t"
      "sxtb16 r12, r6\n\t"
      "sxtb16 lr, r8\n\t"
      "sxtb16 r9, r4\n\t"
      "stmia %[to]!, {r9, r10, r12, lr}\n\t"
      "sxtb16 r4, r4, ror #8\n\t"
      "sxtb16 r5, r5, ror #8\n\t"
      "sxtb16 r6, r6, ror #8\n\t"
      "sxtb16 r8, r8, ror #8\n\t"
      "stmia %[to]!, {r4, r5, r6, r8}\n\t"
      "cmp %[codes], %[end]\n\t"
      "bne 1b\n\t"
      : [codes] "+r"(codes), [fourth] "+r"(fourth), [to] "+r"(to)
      : [count] "r"(count), [end] "r"(codes + count)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#else
  for (std::int32_t i = 0; i < 4; ++i) widen(codes + i * count, count, to + i, 4);
#endif
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
  const auto channels_of_four =
      dsp::floors(op.to) ? dsp::channels_of<4, true> : dsp::channels_of<4, false>;
  dsp::Word buffer[kBufferBytes / 4];
  // Windows that are whole words of one pixel each, in their order.
  const bool pointwise = windows.filter == window.input.channels && span == windows.filter &&
                         window.stride_h * window.stride_w == 1 &&
                         window.pad_top + window.pad_left == 0 &&
                         window.output.width == window.input.width;
  std::int32_t left = window.output.height * window.output.width, next = 0, y = 0, x = 0;
  while (left > 0) {
    const std::int32_t pixels = left >= most ? most : (left >= 2 ? 2 : 1);
    // A single window may be widened where it lies, as it is read from the upper half.
    const std::int32_t widened = pixels == 1 ? span : 2 * pixels * span;
    std::int8_t* codes = reinterpret_cast<std::int8_t*>(buffer) + widened;
    if (pointwise && pixels == 4) {
      widen_four(input + next * span, span, buffer);
    } else if (pointwise) {
      for (std::int32_t i = 0; i < pixels; ++i) {
        widen(input + (next + i) * span, span, buffer + i, pixels);
      }
    }
    next += pixels;
    for (std::int32_t i = 0; i < pixels && !pointwise; ++i) {
      windows.copy(y * window.stride_h - window.pad_top, x * window.stride_w - window.pad_left,
                   buffer + i, pixels, codes);
      if (++x == window.output.width) ++y, x = 0;
    }
    const auto channels = pixels == 4   ? channels_of_four
                          : pixels == 2 ? dsp::channels_of<2, false>
                                        : dsp::channels_of<1, false>;
    channels(op, buffer, windows.filter, output);
    output += pixels * window.output.channels;
    left -= pixels;
  }
}

}  // namespace tinyml
