// What all kernels share: shapes, the sliding window and TensorFlow Lite's requantization.
#pragma once

#include <cstdint>

// One copy of each kernel: without this the compiler clones kernels for constant parameters.
#if defined(__clang__)
#define TINYML_KERNEL [[gnu::noinline]] inline
#else
#define TINYML_KERNEL [[gnu::noinline, gnu::noclone]] inline
#endif

namespace tinyml {

struct Shape {
  std::int16_t height, width, channels;
};

// A sliding window over an image; padding below and to the right follows from the output.
struct Window {
  Shape input, output;
  std::int16_t kernel_h, kernel_w;
  std::int16_t stride_h, stride_w;
  std::int16_t pad_top, pad_left;
};

// The part of one window that lies inside the image: kernel rows [y0, y1), columns [x0, x1).
// `top` and `left` are the image coordinates of the kernel's first row and column.
struct Patch {
  std::int32_t top, left;
  std::int32_t y0, y1, x0, x1;

  bool whole(const Window& window) const {
    return y0 == 0 && x0 == 0 && y1 == window.kernel_h && x1 == window.kernel_w;
  }
};

inline std::int32_t clamp(std::int32_t value, std::int32_t low, std::int32_t high) {
  return value < low ? low : (value > high ? high : value);
}

inline float clamp(float value, float low, float high) {
  return value < low ? low : (value > high ? high : value);
}

inline Patch patch_at(const Window& window, std::int32_t y, std::int32_t x) {
  Patch patch;
  patch.top = y * window.stride_h - window.pad_top;
  patch.left = x * window.stride_w - window.pad_left;
  patch.y0 = clamp(-patch.top, 0, window.kernel_h);
  patch.x0 = clamp(-patch.left, 0, window.kernel_w);
  patch.y1 = clamp(window.input.height - patch.top, patch.y0, window.kernel_h);
  patch.x1 = clamp(window.input.width - patch.left, patch.x0, window.kernel_w);
  return patch;
}

// Outputs of a kernel of one row that are made together. What makes images of one row from left to
// right may write its output over codes that it has read, run by run; where the two lie apart, a
// run is the whole row.
inline std::int32_t run_of(const Window& window, const std::int8_t* input,
                           const std::int8_t* output) {
  constexpr std::int32_t kRun = 32;  // codegen/ops/window.py knows it
  const std::int32_t width = window.output.width, runs = (width + kRun - 1) / kRun;
  const auto address = [](const std::int8_t* codes) {
    return reinterpret_cast<std::uintptr_t>(codes);
  };
  const bool apart = address(output + width * window.output.channels) <= address(input) ||
                     address(input + window.input.width * window.input.channels) <= address(output);
  return apart || window.kernel_h * window.output.height > 1 ? width : (width + runs - 1) / runs;
}

// Sums of int32 that may wrap around, as TensorFlow Lite's do.
inline std::int32_t wrapping_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

// x * multiplier * 2^(exponent - 31), rounded twice as TensorFlow Lite does it: after the high
// multiplication to nearest, ties upwards; after the right shift to nearest, ties away from zero.
inline std::int32_t rescale(std::int32_t x, std::int32_t multiplier, std::int32_t exponent) {
  const std::int32_t left = exponent > 0 ? exponent : 0;
  const std::int32_t right = exponent > 0 ? 0 : -exponent;
  const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left);
  const std::int64_t product = std::int64_t{shifted} * multiplier;
  const auto high = static_cast<std::int32_t>((product + (std::int64_t{1} << 30)) >> 31);
  const auto mask = static_cast<std::int32_t>((std::uint32_t{1} << right) - 1U);
  const std::int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
  return (high >> right) + ((high & mask) > threshold ? 1 : 0);
}

}  // namespace tinyml
