// DEPTHWISE_CONV_2D for SMLAD. Included by the header of the same name one folder above.
//
// Four neighbouring channels are summed at a time, along one output row. SMLAD adds two products
// to one sum, so the codes of two input rows become pairs, one word for each channel: columns of
// such words are packed on the stack, with the zero point where windows leave the image, and shared
// by the windows that overlap. Weights are packed by the same function.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace depthwise_detail {

constexpr std::int32_t kColumnWords = 576;     // 96 columns for a 3x3 kernel, 41 for 7x7
constexpr std::int32_t kWeightWords = 7 * 14;  // a 7x7 kernel

// Where words of four codes come from: every `step` bytes. A step of 0 repeats one word.
struct Source {
  const std::int8_t* codes;
  std::int32_t step;
};

// For each of `count` columns a word for each channel, of codes of both rows.
TINYML_KERNEL void pack_two_rows(Source upper, Source lower, std::int32_t count, dsp::Word* to,
                                 std::int32_t column_words) {
  for (; count > 0; --count, to += column_words) {
    const dsp::Word a = dsp::load(upper.codes), b = dsp::load(lower.codes);
    upper.codes += upper.step;
    lower.codes += lower.step;
    const dsp::Word first = dsp::pack_low(a, b), second = dsp::pack_high(a, b);
    to[0] = dsp::even(first), to[1] = dsp::odd(first);
    to[2] = dsp::even(second), to[3] = dsp::odd(second);
  }
}

// For each column two words, of channels 0 and 2 and of 1 and 3.
TINYML_KERNEL void pack_one_row(Source row, std::int32_t count, dsp::Word* to,
                                std::int32_t column_words) {
  for (; count > 0; --count, to += column_words) {
    const dsp::Word a = dsp::load(row.codes);
    row.codes += row.step;
    to[0] = dsp::even(a), to[1] = dsp::odd(a);
  }
}

struct Sums {
  std::int32_t s0, s1, s2, s3;
};

// Adds the products of `columns` columns of codes and of weights, `pairs` pairs of rows and one
// row.
inline Sums multiply_columns(const dsp::Word* codes, const dsp::Word* weights, std::int32_t columns,
                             std::int32_t pairs, Sums sums) {
#if defined(__ARM_FEATURE_DSP)
  // clang-format off
#define TINYML_TWO_ROWS                      \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"    \
  "ldrd r9, r10, [%[weights]], #8\n\t"       \
  "smlad %[s0], r4, r9, %[s0]\n\t"           \
  "smlad %[s1], r5, r10, %[s1]\n\t"          \
  "ldrd r9, r10, [%[weights]], #8\n\t"       \
  "smlad %[s2], r6, r9, %[s2]\n\t"           \
  "smlad %[s3], r8, r10, %[s3]\n\t"
#define TINYML_ONE_ROW                       \
  "ldrd r4, r5, [%[codes]], #8\n\t"          \
  "ldrd r9, r10, [%[weights]], #8\n\t"       \
  "smlabb %[s0], r4, r9, %[s0]\n\t"          \
  "smlabb %[s1], r5, r10, %[s1]\n\t"         \
  "smlatt %[s2], r4, r9, %[s2]\n\t"          \
  "smlatt %[s3], r5, r10, %[s3]\n\t"
  // clang-format on
  if (pairs == 1 && columns == 3) {
    asm(TINYML_TWO_ROWS TINYML_ONE_ROW TINYML_TWO_ROWS TINYML_ONE_ROW TINYML_TWO_ROWS TINYML_ONE_ROW
        : [s0] "+r"(sums.s0), [s1] "+r"(sums.s1), [s2] "+r"(sums.s2), [s3] "+r"(sums.s3),
          [codes] "+r"(codes), [weights] "+r"(weights)
        :
        : "r4", "r5", "r6", "r8", "r9", "r10", "memory");
    return sums;
  }
  const dsp::Word* end = weights + columns * (4 * pairs + 2);
  do {
    for (std::int32_t i = 0; i < pairs; ++i) {
      asm(TINYML_TWO_ROWS
          : [s0] "+r"(sums.s0), [s1] "+r"(sums.s1), [s2] "+r"(sums.s2), [s3] "+r"(sums.s3),
            [codes] "+r"(codes), [weights] "+r"(weights)
          :
          : "r4", "r5", "r6", "r8", "r9", "r10", "memory");
    }
    asm(TINYML_ONE_ROW
        : [s0] "+r"(sums.s0), [s1] "+r"(sums.s1), [s2] "+r"(sums.s2), [s3] "+r"(sums.s3),
          [codes] "+r"(codes), [weights] "+r"(weights)
        :
        : "r4", "r5", "r9", "r10", "memory");
  } while (weights != end);
#undef TINYML_TWO_ROWS
#undef TINYML_ONE_ROW
#else
  using dsp::multiply_high;
  using dsp::multiply_low;
  for (; columns > 0; --columns, codes += 2, weights += 2) {
    for (std::int32_t i = 0; i < pairs; ++i, codes += 4, weights += 4) {
      sums.s0 += multiply_low(codes[0], weights[0]) + multiply_high(codes[0], weights[0]);
      sums.s1 += multiply_low(codes[1], weights[1]) + multiply_high(codes[1], weights[1]);
      sums.s2 += multiply_low(codes[2], weights[2]) + multiply_high(codes[2], weights[2]);
      sums.s3 += multiply_low(codes[3], weights[3]) + multiply_high(codes[3], weights[3]);
    }
    sums.s0 += multiply_low(codes[0], weights[0]);
    sums.s1 += multiply_low(codes[1], weights[1]);
    sums.s2 += multiply_high(codes[0], weights[0]);
    sums.s3 += multiply_high(codes[1], weights[1]);
  }
#endif
  return sums;
}

// A kernel over four channels, made ready for one row.
struct Group {
  dsp::Word weights[kWeightWords];
  Sums bias;
  dsp::Rescaling by[4];
  const std::int8_t* table;  // of code 0, or null
  std::int32_t columns, pairs;
};

inline void prepare(const DepthwiseConv2DInt8& op, std::int32_t channel, Group& group) {
  const std::int32_t row = op.window.kernel_w * op.window.output.channels;
  const std::int32_t words = 4 * group.pairs + 2;
  Source weights{op.weights + channel, op.window.output.channels};
  for (std::int32_t i = 0; i < group.pairs; ++i, weights.codes += 2 * row) {
    const Source lower{weights.codes + row, weights.step};
    pack_two_rows(weights, lower, group.columns, group.weights + 4 * i, words);
  }
  if (op.window.kernel_h % 2 != 0) {
    pack_one_row(weights, group.columns, group.weights + words - 2, words);
  }
  const std::int32_t* scales = op.to.scales + 2 * channel;
  group.bias = {scales[0], scales[2], scales[4], scales[6]};
  for (std::int32_t i = 0; i < 4; ++i) {
    group.by[i] =
        dsp::rescaling(scales[2 * i + 1], op.to.shifts[channel + i], op.to.output_zero_point);
  }
}

// `count` outputs of four channels from packed columns, `codes_step` words apart.
TINYML_KERNEL void pixels_of(const Group& group, const dsp::Word* codes, std::int32_t codes_step,
                             std::int32_t count, std::int8_t* output, std::int32_t output_step) {
  const std::int8_t* table = group.table;
  for (; count > 0; --count, codes += codes_step, output += output_step) {
    Sums sums = multiply_columns(codes, group.weights, group.columns, group.pairs, group.bias);
    sums.s0 = dsp::saturate(dsp::rescale(sums.s0, group.by[0]));
    sums.s1 = dsp::saturate(dsp::rescale(sums.s1, group.by[1]));
    sums.s2 = dsp::saturate(dsp::rescale(sums.s2, group.by[2]));
    sums.s3 = dsp::saturate(dsp::rescale(sums.s3, group.by[3]));
    if (table != nullptr) {
      sums = {table[sums.s0], table[sums.s1], table[sums.s2], table[sums.s3]};
    }
    output[0] = static_cast<std::int8_t>(sums.s0);
    output[1] = static_cast<std::int8_t>(sums.s1);
    output[2] = static_cast<std::int8_t>(sums.s2);
    output[3] = static_cast<std::int8_t>(sums.s3);
  }
}

}  // namespace depthwise_detail

TINYML_KERNEL void depthwise_conv_2d(const DepthwiseConv2DInt8& op, const std::int8_t* input,
                                     std::int8_t* output) {
  using namespace depthwise_detail;
  const Window& window = op.window;
  const std::int32_t depth = window.input.channels;
  const std::int32_t image_row = window.input.width * depth;
  const std::int32_t pairs = window.kernel_h / 2;
  const std::int32_t words = 4 * pairs + 2;
  // Outputs of a row whose columns fit into the buffer.
  const std::int32_t most = (kColumnWords / words - window.kernel_w) / window.stride_w + 1;
  std::int8_t outside_codes[4];
  dsp::store(outside_codes, dsp::four(op.to.input_zero_point));
  dsp::Word columns[kColumnWords];
  Group group;
  group.table = op.to.table == nullptr ? nullptr : op.to.table + 128;
  group.columns = window.kernel_w;
  group.pairs = pairs;
  for (dsp::Word& word : group.weights) word = 0;  // the last row of an even kernel stays so
  for (std::int32_t y = 0; y < window.output.height; ++y, output += window.output.width * depth) {
    const std::int32_t top = y * window.stride_h - window.pad_top;
    for (std::int32_t from = 0; from < depth; from += 4) {
      // The last four channels may have been computed in part already.
      const std::int32_t channel = from + 4 <= depth ? from : depth - 4;
      prepare(op, channel, group);
      for (std::int32_t x = 0; x < window.output.width; x += most) {
        const std::int32_t count = clamp(window.output.width - x, 0, most);
        const std::int32_t left = x * window.stride_w - window.pad_left;
        const std::int32_t all = (count - 1) * window.stride_w + window.kernel_w;
        const std::int32_t before = clamp(-left, 0, all);
        const std::int32_t inside = clamp(window.input.width - left, before, all) - before;
        const std::int32_t after = all - before - inside;
        const std::int8_t* corner = input + top * image_row + (left + before) * depth + channel;
        const Source nothing{outside_codes, 0};
        for (std::int32_t row = 0; row < window.kernel_h; row += 2) {
          const auto source = [&](std::int32_t ky) {
            const bool valid = top + ky >= 0 && top + ky < window.input.height;
            return valid ? Source{corner + ky * image_row, depth} : nothing;
          };
          dsp::Word* to = columns + 2 * row;
          if (row + 1 < window.kernel_h) {
            pack_two_rows(nothing, nothing, before, to, words);
            pack_two_rows(source(row), source(row + 1), inside, to + before * words, words);
            pack_two_rows(nothing, nothing, after, to + (before + inside) * words, words);
          } else {
            pack_one_row(nothing, before, to, words);
            pack_one_row(source(row), inside, to + before * words, words);
            pack_one_row(nothing, after, to + (before + inside) * words, words);
          }
        }
        pixels_of(group, columns, window.stride_w * words, count, output + x * depth + channel,
                  depth);
      }
    }
  }
}

}  // namespace tinyml
