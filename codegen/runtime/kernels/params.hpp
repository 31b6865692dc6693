// Parameters of the int8 kernels that exist for several instruction sets.
//
// Every such operator has two functions on the same parameters. `conv_2d_any` takes whatever the
// compiler accepts and is plain C++ everywhere. `conv_2d` may assume what `codegen/ops` has proved
// of the operator, and is written for each instruction set. The conditions stand with each struct.
#pragma once

#include <cstdint>

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"

namespace tinyml {

// From the accumulators of a convolution to int8 codes, per output channel.
//
// Proved for the functions without `_any`: multipliers are in [2^30, 2^31), shifts in [1, 23],
// no accumulator (bias and, outside the image, zero point included) reaches 2^30 in magnitude,
// and [low, high] is [-128, 127]: narrower clamps are part of the table.
struct Requantization {
  const std::int32_t* scales;  // bias, with the input's zero point folded in, and multiplier
  const std::int8_t* shifts;   // to the right; negative ones, to the left, come first
  const std::int8_t* table;    // an activation by code, or null
  std::int8_t input_zero_point;
  std::int8_t output_zero_point;
  std::int8_t low, high;
};

// Proved for `conv_2d`: what Requantization says, and a window has at most 1152 weights. Zeros
// follow the last weight until there is a multiple of 4, so that whole words can be read.
struct Conv2DInt8 {
  Window window;
  const std::int8_t* weights;  // (out, kernel_h, kernel_w, in)
  Requantization to;
};

// Proved for `depthwise_conv_2d`: what Requantization says; the multiplier is 1; there are at least
// 4 channels; the kernel is at most 7x7; no weight is -128, so that sums of two products have 16
// bits.
struct DepthwiseConv2DInt8 {
  Window window;
  std::int16_t multiplier;     // output channels per input channel
  const std::int8_t* weights;  // (kernel_h, kernel_w, out)
  Requantization to;
};

// Proved for `add`: both operands move by 1 in the innermost loop; multipliers are in
// [2^30, 2^31); exponents are in [-23, -1], but one operand's factor at least is a half (multiplier
// 2^30, exponent 0); no sum reaches 2^30; [low, high] is [-128, 127].
struct AddInt8 {
  Broadcast broadcast;
  std::int32_t multiplier_a, multiplier_b, multiplier;
  std::int8_t exponent_a, exponent_b, exponent;
  std::int8_t zero_point_a, zero_point_b, zero_point;
  std::int8_t low, high;
};

// Proved for `mul`: both operands move by 1 in the innermost loop; the multiplier is in
// [2^30, 2^31), the exponent in [-23, -1]; [low, high] is [-128, 127].
struct MulInt8 {
  Broadcast broadcast;
  std::int32_t multiplier;
  std::int8_t exponent;
  std::int8_t zero_point_a, zero_point_b, zero_point;
  std::int8_t low, high;
};

// Proved for `mean`: there are at least 4 channels.
struct MeanInt8 {
  std::int32_t area, channels;
  std::int32_t multiplier;  // the ratio of scales over the area
  std::int32_t exponent;
  std::int32_t offset;  // minus the zero point, `area` times
  std::int8_t zero_point;
};

// Proved for `max_pool_2d` and `average_pool_2d`: there are at least 4 channels, and no window
// holds more than 256 cells.
struct PoolInt8 {
  Window window;
  std::int8_t low, high;
};

}  // namespace tinyml
