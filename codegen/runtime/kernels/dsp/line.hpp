// Depthwise convolution of one channel along a line of samples, at stride 1: two neighbouring
// outputs share the words that hold pairs of their codes.
//
// A word holds the codes 2 k and 2 k + 1 of the line. Of the outputs 2 k and 2 k + 1 the first
// meets weights in the pairs (w0, w1), (w2, w3) ..., the second in (0, w0), (w1, w2) ... Weights
// and bias are doubled: the high word of a doubled sum times the multiplier is TensorFlow Lite's
// product, so that one instruction rounds it and adds the summand (requantize.hpp).
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace dsp {

constexpr std::int32_t kMostPairs = 5;           // of the weights of one channel
constexpr std::int32_t kMostTaps = 9;            // which are as many pairs at either phase
constexpr std::int32_t kWordsOfPair = 4;         // one of each of four channels
constexpr std::int32_t kOdd = 256, kOnce = 512;  // beside the shift: shifts see 8 bits

// The assembly knows the offsets.
struct Line {
  const Word* codes;             // 0: of the first pair; the next one is four words behind it
  std::int8_t* output;           // 4
  std::int32_t step;             // 8: bytes from one output to the next one
  const std::int8_t* end;        // 12: behind the outputs that are made in twos, or in fours
  Word first, second;            // 16, 20: of three weights (w0, w1) and (w2, w1)
  std::int32_t bias;             // 24: doubled
  std::int32_t multiplier;       // 28
  std::int32_t summand;          // 32: as Rescaling has it
  std::int32_t shift;            // 36
  Word weights[2 * kMostPairs];  // 40: pairs for even and odd outputs
};

#if TINYML_ASSEMBLY

// clang-format off
// Codes of doubled sums: the multiplier is in r8, the summand in r9, the shift in r10.
#define TINYML_SIGN(sum, temporary)                         \
  "add " temporary ", r9, " sum ", asr #31\n\t"             \
  "smmlar " sum ", " sum ", r8, " temporary "\n\t"
#define TINYML_NO_SIGN(sum, temporary) "smmlar " sum ", " sum ", r8, r9\n\t"

#define TINYML_CODE(sum, rescale, temporary)                \
  rescale(sum, temporary)                                   \
  "asr " sum ", " sum ", r10\n\t"                           \
  "ssat " sum ", #8, " sum "\n\t"

// Three weights: two outputs, of the pairs `left` and `right`.
#define TINYML_TWO(left, right, rescale)                    \
  "ldr " right ", [r0], #16\n\t"                            \
  "smlad lr, " left ", r4, r6\n\t"                          \
  "smlatb %[line], " left ", r4, r6\n\t"                    \
  "smlabb lr, " right ", r5, lr\n\t"                        \
  "smladx %[line], " right ", r5, %[line]\n\t"              \
  TINYML_CODE("lr", rescale, left)       \
  TINYML_CODE("%[line]", rescale, left)  \
  "strb lr, [r1]\n\t"                                       \
  "strb %[line], [r1, r2]\n\t"                              \
  "add r1, r1, r2, lsl #1\n\t"

// In turn the words of pairs are in r11 and r12; where twos are odd in number, one goes first.
#define TINYML_TWOS(rescale)                                \
  "ldmia %[line], {r0, r1, r2, r3, r4, r5, r6, r8, r9, r10}\n\t" \
  "ldr r11, [r0], #16\n\t"                                  \
  "cmp r1, r3\n\t"                                          \
  "beq 3f\n\t"                                              \
  "lsls %[line], r10, #23\n\t"                              \
  "bcc 1f\n\t"                                              \
  "mov r12, r11\n\t"                                        \
  "b 2f\n"                                                  \
  "1:\n\t"                                                  \
  TINYML_TWO("r11", "r12", rescale)                         \
  "2:\n\t"                                                  \
  TINYML_TWO("r12", "r11", rescale)                         \
  "cmp r1, r3\n\t"                                          \
  "bne 1b\n"                                                \
  "3:\n\t"                                                  \
  "lsls %[line], r10, #24\n\t"                              \
  "bcc 4f\n\t"                                              \
  "ldr r12, [r0]\n\t"                                       \
  "smlad lr, r11, r4, r6\n\t"                               \
  "smlabb lr, r12, r5, lr\n\t"                              \
  TINYML_CODE("lr", rescale, "r11")      \
  "strb lr, [r1]\n"                                         \
  "4:\n\t"

// A pair of the weights, at `weights`, of four outputs whose sums are r3 to r6.
#define TINYML_FOUR_SUMS(left, right, weights, s0, s1, s2, s3) \
  "ldrd r10, r11, [%[line], #" weights "]\n\t"              \
  "smlad r3, " left ", r10, " s0 "\n\t"                     \
  "smlad r4, " left ", r11, " s1 "\n\t"                     \
  "smlad r5, " right ", r10, " s2 "\n\t"                    \
  "smlad r6, " right ", r11, " s3 "\n\t"

#define TINYML_NEXT(left, right, codes, weights)            \
  "ldr " right ", [r0, #" codes "]\n\t"                     \
  TINYML_FOUR_SUMS(left, right, weights, "r3", "r4", "r5", "r6")

#define TINYML_FOURS(more, rescale)                         \
  "ldmia %[line], {r0, r1, r2}\n\t"                         \
  "ldr r12, [%[line], #24]\n\t"                             \
  "add lr, r2, r2, lsl #1\n"                                \
  "1:\n\t"                                                  \
  "ldr r8, [r0], #32\n\t"                                   \
  "ldr r9, [r0, #-16]\n\t"                                  \
  TINYML_FOUR_SUMS("r8", "r9", "40", "r12", "r12", "r12", "r12") \
  TINYML_NEXT("r9", "r8", "0", "48")                        \
  TINYML_NEXT("r8", "r9", "16", "56")                       \
  more                                                      \
  "ldrd r8, r9, [%[line], #28]\n\t"                         \
  "ldr r10, [%[line], #36]\n\t"                             \
  TINYML_CODE("r3", rescale, "r11")      \
  TINYML_CODE("r4", rescale, "r11")      \
  TINYML_CODE("r5", rescale, "r11")      \
  TINYML_CODE("r6", rescale, "r11")      \
  "strb r3, [r1]\n\t"                                       \
  "strb r4, [r1, r2]\n\t"                                   \
  "strb r5, [r1, r2, lsl #1]\n\t"                           \
  "strb r6, [r1, lr]\n\t"                                   \
  "ldr r11, [%[line], #12]\n\t"                             \
  "add r1, r1, r2, lsl #2\n\t"                              \
  "cmp r1, r11\n\t"                                         \
  "bne 1b\n\t"

#define TINYML_OPERANDS                                                                     \
  : [line] "+r"(line)                                                                       \
  :                                                                                         \
  : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc",  \
    "memory"
// clang-format on

// At most three weights; `end` and the shift's flags say how many outputs.
template <bool Floored>
TINYML_ALL_REGISTERS TINYML_KERNEL void convolve_twos(const Line* line) {
  if constexpr (Floored) {
    asm volatile(TINYML_TWOS(TINYML_NO_SIGN) TINYML_OPERANDS);
  } else {
    asm volatile(TINYML_TWOS(TINYML_SIGN) TINYML_OPERANDS);
  }
}

// Three to five pairs of weights, four outputs at a time up to `end`.
template <bool Floored>
TINYML_ALL_REGISTERS TINYML_KERNEL void convolve_fours(const Line* line, std::int32_t pairs) {
#define TINYML_FOURTH TINYML_NEXT("r9", "r8", "32", "64")
#define TINYML_FIFTH TINYML_NEXT("r8", "r9", "48", "72")
  if (pairs == 3 && Floored) {
    asm volatile(TINYML_FOURS("", TINYML_NO_SIGN) TINYML_OPERANDS);
  } else if (pairs == 3) {
    asm volatile(TINYML_FOURS("", TINYML_SIGN) TINYML_OPERANDS);
  } else if (pairs == 4 && Floored) {
    asm volatile(TINYML_FOURS(TINYML_FOURTH, TINYML_NO_SIGN) TINYML_OPERANDS);
  } else if (pairs == 4) {
    asm volatile(TINYML_FOURS(TINYML_FOURTH, TINYML_SIGN) TINYML_OPERANDS);
  } else if (Floored) {
    asm volatile(TINYML_FOURS(TINYML_FOURTH TINYML_FIFTH, TINYML_NO_SIGN) TINYML_OPERANDS);
  } else {
    asm volatile(TINYML_FOURS(TINYML_FOURTH TINYML_FIFTH, TINYML_SIGN) TINYML_OPERANDS);
  }
#undef TINYML_FOURTH
#undef TINYML_FIFTH
}

#undef TINYML_SIGN
#undef TINYML_NO_SIGN
#undef TINYML_CODE
#undef TINYML_TWO
#undef TINYML_TWOS
#undef TINYML_FOUR_SUMS
#undef TINYML_NEXT
#undef TINYML_FOURS
#undef TINYML_OPERANDS

#else

namespace line_detail {

inline std::int8_t finish(const Line& line, std::int32_t sum) {
  const Word summand = static_cast<Word>(line.summand) + static_cast<Word>(sum >> 31);
  const std::int32_t high =
      high_multiply_add(sum, line.multiplier, static_cast<std::int32_t>(summand));
  return static_cast<std::int8_t>(saturate(high >> (line.shift & 255)));
}

}  // namespace line_detail

template <bool Floored>
void convolve_twos(const Line* line) {
  const Word* codes = line->codes;
  std::int8_t* output = line->output;
  const auto even = [&] {
    return line->bias + multiply_low(codes[0], line->first) + multiply_high(codes[0], line->first) +
           multiply_low(codes[kWordsOfPair], line->second);
  };
  for (; output != line->end; codes += kWordsOfPair, output += 2 * line->step) {
    const Word right = codes[kWordsOfPair];
    output[0] = line_detail::finish(*line, even());
    output[line->step] =
        line_detail::finish(*line, line->bias + high_half(codes[0]) * low_half(line->first) +
                                       low_half(right) * high_half(line->second) +
                                       high_half(right) * low_half(line->second));
  }
  if ((line->shift & kOdd) != 0) *output = line_detail::finish(*line, even());
}

template <bool Floored>
void convolve_fours(const Line* line, std::int32_t pairs) {
  const Word* codes = line->codes;
  std::int8_t* output = line->output;
  for (; output != line->end; codes += kWordsOfPair) {
    for (std::int32_t phase = 0; phase < 2; ++phase, output += line->step) {
      std::int32_t sum = line->bias;
      for (std::int32_t pair = 0; pair < pairs; ++pair) {
        const Word code = codes[kWordsOfPair * pair], weight = line->weights[2 * pair + phase];
        sum += multiply_low(code, weight) + multiply_high(code, weight);
      }
      *output = line_detail::finish(*line, sum);
    }
  }
}

#endif

// As the lower half of a pair.
inline Word code(std::int8_t weight) { return static_cast<Word>(std::int32_t{weight}); }

// Bias, multiplier, summand and shift of a channel; `twice_zero` is 2 * the output's zero point
// + 1.
inline void scale(const std::int32_t* scales, std::int32_t shift, std::int32_t twice_zero,
                  Line& line) {
  line.bias = 2 * scales[0];
  line.multiplier = scales[1];
  line.summand = static_cast<std::int32_t>(static_cast<Word>(twice_zero) << shift) >> 1;
  line.shift = shift;
}

// `count` outputs of four channels from `channel` on, of at most three weights; `codes` are packed
// as columns.hpp does it.
template <bool Floored>
TINYML_KERNEL void convolve_few(const DepthwiseConv2DInt8& op, std::int32_t channel,
                                const Word* codes, std::int32_t count, std::int8_t* output) {
  const std::int32_t depth = op.window.output.channels, taps = op.window.kernel_w;
  const std::int32_t zero = 2 * op.to.output_zero_point + 1;
  const std::int32_t flags = (count % 2 != 0 ? kOdd : 0) | (count % 4 >= 2 ? kOnce : 0);
  const std::int32_t made = (count & ~1) * depth;
  const std::int32_t* scales = op.to.scales + 2 * channel;
  const std::int8_t* shifts = op.to.shifts + channel;
  const std::int8_t* weights = op.weights + channel;
  Line line;
  line.step = depth;
  for (const Word* stop = codes + 4; codes != stop; ++codes, ++output, ++weights, scales += 2) {
    line.codes = codes;
    line.output = output;
    line.end = output + made;
    const Word w1 = taps > 1 ? code(weights[depth]) : 0;
    const Word w2 = taps > 2 ? code(weights[2 * depth]) : 0;
    line.first = twice(pack_low(code(weights[0]), w1));
    line.second = twice(pack_low(w2, w1));
    scale(scales, *shifts++, zero, line);
    line.shift |= flags;
    convolve_twos<Floored>(&line);
  }
}

// The same of four to nine weights.
template <bool Floored>
TINYML_KERNEL void convolve_more(const DepthwiseConv2DInt8& op, std::int32_t channel,
                                 const Word* codes, std::int32_t count, std::int8_t* output) {
  const std::int32_t depth = op.window.output.channels, taps = op.window.kernel_w;
  const std::int32_t zero = 2 * op.to.output_zero_point + 1;
  const std::int32_t pairs = taps / 2 + 1, whole = count & ~3;
  const std::int32_t* scales = op.to.scales + 2 * channel;
  const std::int8_t* shifts = op.to.shifts + channel;
  const std::int8_t* weights = op.weights + channel;
  Line line;
  for (const Word* stop = codes + 4; codes != stop; ++codes, ++output, ++weights, scales += 2) {
    scale(scales, *shifts++, zero, line);
    const std::int8_t* tap = weights;
    Word before = 0, *to = line.weights;
    for (std::int32_t left = taps / 2; left > 0; --left, tap += 2 * depth, to += 2) {
      const Word word = twice(pack_low(code(tap[0]), code(tap[depth])));
      store_two(to, word, before >> 16 | word << 16);
      before = word;
    }
    const Word last = taps % 2 != 0 ? twice(pack_low(code(tap[0]), 0)) : 0;
    store_two(to, last, before >> 16 | last << 16);
    line.codes = codes;
    line.output = output;
    line.step = depth;
    line.end = output + whole * depth;
    if (whole > 0) convolve_fours<Floored>(&line, pairs);
    if (whole < count) {  // four more, not all of which are outputs
      std::int8_t rest[4];
      line.codes = codes + 2 * whole;
      line.output = rest;
      line.end = rest + 4;
      line.step = 1;
      convolve_fours<Floored>(&line, pairs);
      for (std::int32_t x = whole; x < count; ++x) output[x * depth] = rest[x - whole];
    }
  }
}

}  // namespace dsp
}  // namespace tinyml
