// SOFTMAX over rows. In int8 the exponentials are a table in Q0.31 by distance from the row's
// largest code; the reciprocal of their sum is TensorFlow Lite's Newton-Raphson in fixed point.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/kernels/common.hpp"

namespace tinyml {

struct SoftmaxInt8 {
  std::int32_t rows, classes;
  const std::int32_t* exponentials;  // 256, of the distances 0 to 255
};

struct SoftmaxFloat {
  std::int32_t rows, classes;
  float beta;
};

namespace softmax_detail {

// round(a * b / 2^31), ties upwards. Saturates the one product that does not fit.
inline std::int32_t high_multiply(std::int32_t a, std::int32_t b) {
  const std::int64_t rounded = (std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31;
  return rounded > INT32_MAX ? INT32_MAX : static_cast<std::int32_t>(rounded);
}

// Rounding division by a power of two, ties away from zero.
inline std::int32_t divide(std::int32_t x, std::int32_t exponent) {
  const auto mask = static_cast<std::int32_t>((std::uint32_t{1} << exponent) - 1U);
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

inline std::int32_t times_saturated(std::int32_t x, std::int32_t factor) {
  const std::int64_t product = std::int64_t{x} * factor;
  return product > INT32_MAX   ? INT32_MAX
         : product < INT32_MIN ? INT32_MIN
                               : static_cast<std::int32_t>(product);
}

// 1 / (1 + x) for x in [0, 1), both in Q0.31: three steps of Newton-Raphson in Q2.29.
inline std::int32_t reciprocal_of_one_plus(std::int32_t x) {
  // (x + 1) / 2, rounded, where 1 is the largest number of the format.
  const auto half = static_cast<std::int32_t>((std::int64_t{x} + INT32_MAX + 1) / 2);
  std::int32_t y = high_multiply(half, -1010580540) + 1515870810;  // 48/17 - 32/17 * half
  for (int step = 0; step < 3; ++step) {
    const std::int32_t error = (1 << 29) - high_multiply(half, y);
    y += times_saturated(high_multiply(y, error), 4);
  }
  return times_saturated(y, 2);
}

}  // namespace softmax_detail

TINYML_KERNEL void softmax(const SoftmaxInt8& op, const std::int8_t* input, std::int8_t* output) {
  for (std::int32_t row = 0; row < op.rows; ++row) {
    std::int32_t largest = -128;
    for (std::int32_t i = 0; i < op.classes; ++i) {
      largest = input[i] > largest ? input[i] : largest;
    }
    std::int32_t sum = 0;  // in Q12.19
    for (std::int32_t i = 0; i < op.classes; ++i) {
      sum += softmax_detail::divide(op.exponentials[largest - input[i]], 12);
    }
    // sum = (1 + fraction) * 2^bits, bits from 0 to 11
    auto bits = std::int32_t{0};
    while ((sum >> bits) >= (1 << 20)) {
      ++bits;
    }
    const auto fraction =
        static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << (12 - bits)) - (1U << 31));
    const std::int32_t scale = softmax_detail::reciprocal_of_one_plus(fraction);
    const std::int32_t exponent = bits + 23;  // to codes of 1/256
    for (std::int32_t i = 0; i < op.classes; ++i) {
      const std::int32_t share =
          softmax_detail::high_multiply(scale, op.exponentials[largest - input[i]]);
      const std::int32_t code = exponent > 31 ? 0 : softmax_detail::divide(share, exponent);
      output[i] = static_cast<std::int8_t>(clamp(code - 128, -128, 127));
    }
    input += op.classes;
    output += op.classes;
  }
}

TINYML_KERNEL void softmax(const SoftmaxFloat& op, const float* input, float* output) {
  for (std::int32_t row = 0; row < op.rows; ++row) {
    float largest = input[0];
    for (std::int32_t i = 1; i < op.classes; ++i) {
      largest = input[i] > largest ? input[i] : largest;
    }
    float sum = 0.0F;
    for (std::int32_t i = 0; i < op.classes; ++i) {
      output[i] = std::exp((input[i] - largest) * op.beta);
      sum += output[i];
    }
    for (std::int32_t i = 0; i < op.classes; ++i) {
      output[i] /= sum;
    }
    input += op.classes;
    output += op.classes;
  }
}

}  // namespace tinyml
