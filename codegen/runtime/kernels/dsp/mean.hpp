// MEAN for SMLAD's cores. Included by the header of the same name one folder above.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/sums.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {

TINYML_KERNEL void mean(const MeanInt8& op, const std::int8_t* input, std::int8_t* output) {
  for (std::int32_t from = 0; from < op.channels; from += 4) {
    // The last four channels may have been computed in part already.
    const std::int32_t channel = from + 4 <= op.channels ? from : op.channels - 4;
    std::int32_t sums[4] = {op.offset, op.offset, op.offset, op.offset};
    const std::int8_t* codes = input + channel;
    for (std::int32_t left = op.area; left > 0; left -= dsp::kMostSummands) {
      const std::int32_t count = left < dsp::kMostSummands ? left : dsp::kMostSummands;
      dsp::FourSums four;
      codes = dsp::sum_codes(codes, op.channels, count, four);
      for (std::int32_t i = 0; i < 4; ++i) sums[i] += four[i];
    }
    for (std::int32_t i = 0; i < 4; ++i) {
      const std::int32_t code = rescale(sums[i], op.multiplier, op.exponent) + op.zero_point;
      output[channel + i] = static_cast<std::int8_t>(clamp(code, -128, 127));
    }
  }
}

}  // namespace tinyml
