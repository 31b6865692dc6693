// CONV_2D for SMLAD. Included by the header of the same name one folder above.
//
// The windows of a few pixels are copied to the stack, widened to 16 bits, with the zero point
// where they leave the image; then every output channel is a dot product with its weights. Pixels
// are taken in order, across the ends of rows.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/channels.hpp"
#include "runtime/kernels/dsp/eight_pixels.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/dsp/two_channels.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace conv_2d_detail {

// Windows of 8 pixels by up to 168 weights, 4 by 320, 2 by 576 or 1 by 1152, and one window of
// codes. Eight pixels need weights of whole words, which are copied there if they are not.
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
TINYML_ALL_REGISTERS TINYML_KERNEL void widen_four(const std::int8_t* codes, std::int32_t count,
                                                   dsp::Word* to, std::int32_t pixels) {
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
      "stmia %[to], {r9, r10, r12, lr}\n\t"
      "add %[to], %[to], %[step]\n\t"
      "sxtb16 r4, r4, ror #8\n\t"
      "sxtb16 r5, r5, ror #8\n\t"
      "sxtb16 r6, r6, ror #8\n\t"
      "sxtb16 r8, r8, ror #8\n\t"
      "stmia %[to], {r4, r5, r6, r8}\n\t"
      "add %[to], %[to], %[step]\n\t"
      "cmp %[codes], %[end]\n\t"
      "bne 1b\n\t"
      : [codes] "+r"(codes), [fourth] "+r"(fourth), [to] "+r"(to)
      : [count] "r"(count), [step] "r"(4 * pixels), [end] "r"(codes + count)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#else
  for (std::int32_t i = 0; i < 4; ++i) widen(codes + i * count, count, to + i, pixels);
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
  std::int8_t* end = to + count;
  if (count >= 4) {
    const std::int8_t* last = from + count - 4;
    do {
      dsp::keep(from);  // the C library's memcpy, which would be called instead, goes byte by byte
      dsp::store(to, dsp::load(from));
      from += 4, to += 4;
    } while (from < last);
    dsp::store(end - 4, dsp::load(last));
    return end;
  }
  while (to != end) {
    dsp::keep(from);
    *to++ = *from++;
  }
  return end;
}

inline std::int8_t* repeat(std::int32_t code, std::int32_t count, std::int8_t* to) {
  for (; count > 0; --count) *to++ = static_cast<std::int8_t>(code);
  return to;
}

#if TINYML_ASSEMBLY

// Widens a window of 3x3 pixels of three channels, one of eight pixels, and a zero: three rows of 9
// codes, `row` bytes apart, of which nothing else is read.
inline void widen_colours(const std::int8_t* codes, std::int32_t row, dsp::Word* to) {
  // clang-format off
#define TINYML_PUT(number)                        \
  "sxtb16 %[even], %[odd]\n\t"                    \
  "sxtb16 %[odd], %[odd], ror #8\n\t"             \
  "str %[even], [%[to], #64 * " number "]\n\t"    \
  "str %[odd], [%[to], #64 * " number " + 32]\n\t"
  // clang-format on
  const std::int8_t* second = codes + row;
  const std::int8_t* third = second + row;
  dsp::Word even, odd;
  asm volatile(
      "ldr %[odd], [%[codes]]\n\t" TINYML_PUT("0")  //
      "ldr %[odd], [%[codes], #4]\n\t" TINYML_PUT("1")
      "ldrb %[even], [%[codes], #8]\n\t"
      "ldr %[odd], [%[second]]\n\t"
      "orr %[odd], %[even], %[odd], lsl #8\n\t" TINYML_PUT("2")
      "ldr %[odd], [%[second], #3]\n\t" TINYML_PUT("3")
      "ldrh %[even], [%[second], #7]\n\t"
      "ldrh %[odd], [%[third]]\n\t"
      "orr %[odd], %[even], %[odd], lsl #16\n\t" TINYML_PUT("4")
      "ldr %[odd], [%[third], #2]\n\t" TINYML_PUT("5")
      "ldr %[odd], [%[third], #5]\n\t"
      "lsr %[odd], %[odd], #8\n\t" TINYML_PUT("6")
      : [even] "=&r"(even), [odd] "=&r"(odd)
      : [codes] "r"(codes), [second] "r"(second), [third] "r"(third), [to] "r"(to)
      : "memory");
#undef TINYML_PUT
}

#endif

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
  std::int32_t last_top = window.input.height - window.kernel_h;  // of windows inside the image
  std::int32_t last_left = window.input.width - window.kernel_w;
  bool colours = row == 9 && filter == 27;

  // The window whose first code is (top, left) in the image.
  void copy(std::int32_t top, std::int32_t left, dsp::Word* to, std::int32_t pixels,
            std::int8_t* codes) const {
    const bool whole = top >= 0 && top <= last_top && left >= 0 && left <= last_left;
    if (!whole) {
      copy_cut(top, left, to, pixels, codes);
      return;
    }
    const std::int8_t* from = input + top * image_row + left * depth;
#if TINYML_ASSEMBLY
    if (colours && pixels == 8) {
      widen_colours(from, image_row, to);
      return;
    }
#endif
    if (row % 4 == 0) {
      for (std::int32_t y = window.kernel_h; y > 0; --y, from += image_row) {
        to = widen(from, row, to, pixels);
      }
      return;
    }
    dsp::store(codes + span - 4, 0);
    std::int8_t* next = codes;
    for (std::int32_t y = window.kernel_h; y > 0; --y, from += image_row) {
      next = conv_2d_detail::copy(from, row, next);
    }
    widen(codes, span, to, pixels);
  }

  // The same for windows that leave the image.
  [[gnu::noinline]] void copy_cut(std::int32_t top, std::int32_t left, dsp::Word* to,
                                  std::int32_t pixels, std::int8_t* codes) const {
    const std::int32_t x0 = clamp(-left, 0, window.kernel_w);
    const std::int32_t x1 = clamp(window.input.width - left, x0, window.kernel_w);
    const std::int8_t* from = input + top * image_row + (left + x0) * depth;
    std::int8_t* next = codes;
    dsp::store(codes + span - 4, 0);
    for (std::int32_t y = top; y < top + window.kernel_h; ++y, from += image_row) {
      const bool inside = y >= 0 && y < window.input.height;
      const std::int32_t run = inside ? (x1 - x0) * depth : 0;
      const std::int32_t before = inside ? x0 * depth : row;
      if (depth % 4 == 0) {
        to = fill(outside, before, to, pixels);
        to = widen(from, run, to, pixels);
        to = fill(outside, row - run - before, to, pixels);
      } else {
        next = repeat(outside, before, next);
        next = conv_2d_detail::copy(from, run, next);
        next = repeat(outside, row - run - before, next);
      }
    }
    if (depth % 4 != 0) widen(codes, span, to, pixels);
  }
};

}  // namespace conv_2d_detail

TINYML_KERNEL void conv_2d(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
  using namespace conv_2d_detail;
  const Window& window = op.window;
  const Windows windows{window, input, op.to.input_zero_point};
  const std::int32_t span = windows.span;
  const std::int32_t channels = window.output.channels;
  const std::int32_t packed = span == windows.filter ? 0 : channels * span;
  const bool eight = dsp::kMostPixels == 8 && 17 * span + packed <= kBufferBytes;
  const std::int32_t most = eight                      ? 8
                            : 9 * span <= kBufferBytes ? 4
                            : 5 * span <= kBufferBytes ? 2
                                                       : 1;
  dsp::Word buffer[kBufferBytes / 4];
  const std::int8_t* weights = op.weights;
  if (eight && packed > 0) {
    std::int8_t* to = reinterpret_cast<std::int8_t*>(buffer) + kBufferBytes - packed;
    weights = to;
    for (std::int32_t channel = 0; channel < channels; ++channel, to += span) {
      dsp::store(to + span - 4, 0);
      copy(op.weights + channel * windows.filter, windows.filter, to);
    }
  }
  // Windows that are whole words of one pixel each, in their order.
  const bool pointwise = windows.filter == window.input.channels && span == windows.filter &&
                         window.stride_h * window.stride_w == 1 &&
                         window.pad_top + window.pad_left == 0 &&
                         window.output.width == window.input.width;
  std::int32_t rest = window.output.height * window.output.width, next = 0, x = 0;
  std::int32_t top = -window.pad_top, left = -window.pad_left;
  while (rest > 0) {
    std::int32_t pixels = most;
    while (pixels > rest) pixels /= 2;
    // A single window may be widened where it lies, as it is read from the upper half.
    const std::int32_t widened = pixels == 1 ? span : 2 * pixels * span;
    std::int8_t* codes = reinterpret_cast<std::int8_t*>(buffer) + widened;
    if (pointwise && pixels >= 4) {
      for (std::int32_t i = 0; i < pixels; i += 4) {
        widen_four(input + (next + i) * span, span, buffer + i, pixels);
      }
    } else if (pointwise) {
      for (std::int32_t i = 0; i < pixels; ++i) {
        widen(input + (next + i) * span, span, buffer + i, pixels);
      }
    }
    next += pixels;
    for (std::int32_t i = 0; i < pixels && !pointwise; ++i) {
      windows.copy(top, left, buffer + i, pixels, codes);
      left += window.stride_w;
      if (++x == window.output.width) {
        top += window.stride_h;
        left = -window.pad_left;
        x = 0;
      }
    }
    if (pixels == 8) {
      dsp::channels_of_eight(op, weights, buffer, span, output);
    } else if (pixels == 1) {
      dsp::all_channels_of_one(op, buffer, windows.filter, output);
    } else {
      const auto channels_of = pixels == 4 ? dsp::channels_of<4> : dsp::channels_of<2>;
      channels_of(op, buffer, windows.filter, output);
    }
    output += pixels * channels;
    rest -= pixels;
  }
}

}  // namespace tinyml
