// MEAN over the pixels of an NHWC image.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/isa.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

struct MeanFloat {
  std::int32_t area, channels;
};

namespace mean_detail {

template <typename Sum, typename Element>
inline Sum sum_channel(const Element* input, std::int32_t area, std::int32_t channels) {
  Sum sum = 0;
  for (std::int32_t pixel = 0; pixel < area; ++pixel) {
    sum += *input;
    input += channels;
  }
  return sum;
}

}  // namespace mean_detail

TINYML_KERNEL void mean_any(const MeanInt8& op, const std::int8_t* input, std::int8_t* output) {
  for (std::int32_t channel = 0; channel < op.channels; ++channel) {
    const std::int32_t sum =
        op.offset + mean_detail::sum_channel<std::int32_t>(input + channel, op.area, op.channels);
    const std::int32_t code = rescale(sum, op.multiplier, op.exponent) + op.zero_point;
    output[channel] = static_cast<std::int8_t>(clamp(code, -128, 127));
  }
}

TINYML_KERNEL void mean(const MeanFloat& op, const float* input, float* output) {
  for (std::int32_t channel = 0; channel < op.channels; ++channel) {
    const float sum = mean_detail::sum_channel<float>(input + channel, op.area, op.channels);
    output[channel] = sum / static_cast<float>(op.area);
  }
}

}  // namespace tinyml

#if TINYML_ISA_MVE
#include "runtime/kernels/mve/mean.hpp"
#elif TINYML_ISA_DSP
#include "runtime/kernels/dsp/mean.hpp"
#else
namespace tinyml {

inline void mean(const MeanInt8& op, const std::int8_t* input, std::int8_t* output) {
  mean_any(op, input, output);
}

}  // namespace tinyml
#endif
