// DEPTHWISE_CONV_2D with a kernel of one row, for images of one row: series of samples.
#pragma once

#include <cstdint>

#include "runtime/kernels/depthwise_conv_2d.hpp"

#if TINYML_ISA_DSP
#include "runtime/kernels/dsp/depthwise_conv_2d_row.hpp"
#else
namespace tinyml {

inline void depthwise_conv_2d_row(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                  std::int8_t* output) {
  depthwise_conv_2d(op, input, output);
}

}  // namespace tinyml
#endif
