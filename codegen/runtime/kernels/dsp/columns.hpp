// Depthwise convolution of four neighbouring channels, along one row: columns of codes and a
// kernel.
//
// A column holds the codes that a column of the kernel meets: for every pair of rows a word for
// each channel, of both rows' codes, which SMLAD multiplies by two weights; then, for the last row,
// a word for channels 0 and 2 and one for 1 and 3. The kernel's columns are packed alike; where its
// height is even, the last row's weights are 0.
#pragma once

#include <cstdint>

#include "runtime/kernels/common.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"

namespace tinyml {
namespace dsp {

constexpr std::int32_t column_words(std::int32_t pairs) { return 4 * pairs + 2; }

// Where words of four codes come from: every `step` bytes. A step of 0 repeats one word.
struct Source {
  const std::int8_t* codes;
  std::int32_t step;
};

// The words of a pair of rows, for each of `count` columns.
[[gnu::always_inline]] inline void pack_two_rows(Source upper, Source lower, std::int32_t count,
                                                 Word* to, std::int32_t words) {
  for (; count > 0; --count, to += words) {
    const Word a = load(upper.codes), b = load(lower.codes);
    upper.codes += upper.step;
    lower.codes += lower.step;
    const Word first = pack_low(a, b), second = pack_high(a, b);
    store_two(to, even(first), odd(first));
    store_two(to + 2, even(second), odd(second));
  }
}

// The words of the last row.
[[gnu::always_inline]] inline void pack_one_row(Source row, std::int32_t count, Word* to,
                                                std::int32_t words) {
  for (; count > 0; --count, to += words) {
    const Word a = load(row.codes);
    row.codes += row.step;
    store_two(to, even(a), odd(a));
  }
}

// All words of three rows that lie `row` bytes apart.
inline void pack_three_rows(Source first, std::int32_t row, std::int32_t count, Word* to) {
#if TINYML_ASSEMBLY
  if (count <= 0) return;
  asm volatile(
      "1:\n\t"
      "ldr r4, [%[codes]]\n\t"
      "ldr r5, [%[codes], %[row]]\n\t"
      "ldr r10, [%[codes], %[row], lsl #1]\n\t"
      "add %[codes], %[codes], %[step]\n\t"
      "pkhtb r6, r5, r4, asr #16\n\t"
      "pkhbt r5, r4, r5, lsl #16\n\t"
      "sxtb16 r4, r5\n\t"
      "sxtb16 r5, r5, ror #8\n\t"
      "sxtb16 r8, r6, ror #8\n\t"
      "sxtb16 r6, r6\n\t"
      "sxtb16 r9, r10\n\t"
      "sxtb16 r10, r10, ror #8\n\t"
      "stmia %[to]!, {r4, r5, r6, r8, r9, r10}\n\t"
      "subs %[count], %[count], #1\n\t"
      "bne 1b\n\t"
      : [codes] "+r"(first.codes), [count] "+r"(count), [to] "+r"(to)
      : [row] "r"(row), [step] "r"(first.step)
      : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
#else
  const Source second{first.codes + row, first.step}, third{second.codes + row, first.step};
  pack_two_rows(first, second, count, to, column_words(1));
  pack_one_row(third, count, to + 4, column_words(1));
#endif
}

// All words of `height` rows that lie `row` bytes apart. Only rows [y0, y1) are there; `outside`
// stands for the codes of others.
TINYML_KERNEL void pack_columns(Source first, std::int32_t row, std::int32_t height,
                                std::int32_t y0, std::int32_t y1, const std::int8_t* outside,
                                std::int32_t count, Word* to) {
  if (height == 3 && y0 == 0 && y1 == 3) {
    pack_three_rows(first, row, count, to);
    return;
  }
  const auto source = [=](std::int32_t y) {
    return y >= y0 && y < y1 ? Source{first.codes + y * row, first.step} : Source{outside, 0};
  };
  const std::int32_t words = column_words(height / 2);
  std::int32_t y = 0;
  for (; y + 1 < height; y += 2, to += 4) {
    pack_two_rows(source(y), source(y + 1), count, to, words);
  }
  if (y < height) pack_one_row(source(y), count, to, words);
}

// A kernel over four channels. The assembly knows the offsets.
struct Kernel {
  std::int32_t bias[4];               // 0
  Rescaling by[4];                    // 16
  const std::int8_t* table;           // 64: of code 0, or null
  std::int32_t codes_step;            // 68: bytes from behind one window to the next one
  std::int32_t output_step;           // 72: bytes from one output to the next one
  std::int32_t pairs, columns;        // 76, 80
  std::int32_t count;                 // 84: outputs
  Word weights[7 * column_words(3)];  // 88
};

#if TINYML_ASSEMBLY

// clang-format off
#define TINYML_COLUMN_OF_3(weights)            \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"      \
  "ldrd r9, r10, [%[kernel], #88 + 24 * " weights "]\n\t" \
  "smlad %[s0], r4, r9, %[s0]\n\t"             \
  "smlad %[s1], r5, r10, %[s1]\n\t"            \
  "ldrd r9, r10, [%[kernel], #96 + 24 * " weights "]\n\t" \
  "smlad %[s2], r6, r9, %[s2]\n\t"             \
  "smlad %[s3], r8, r10, %[s3]\n\t"            \
  "ldrd r4, r5, [%[codes]], #8\n\t"            \
  "ldrd r9, r10, [%[kernel], #104 + 24 * " weights "]\n\t" \
  TINYML_LAST_ROW

#define TINYML_LAST_ROW                        \
  "smlabb %[s0], r4, r9, %[s0]\n\t"            \
  "smlabb %[s1], r5, r10, %[s1]\n\t"           \
  "smlatt %[s2], r4, r9, %[s2]\n\t"            \
  "smlatt %[s3], r5, r10, %[s3]\n\t"

// Any columns: r6 counts pairs of rows, r8 columns.
#define TINYML_COLUMNS                         \
  "add %[weights], %[kernel], #88\n\t"         \
  "ldr r8, [%[kernel], #80]\n"                 \
  "2:\n\t"                                     \
  "ldr r6, [%[kernel], #76]\n\t"               \
  "cbz r6, 4f\n"                               \
  "3:\n\t"                                     \
  "ldrd r4, r5, [%[codes]], #8\n\t"            \
  "ldrd r9, r10, [%[weights]], #8\n\t"         \
  "smlad %[s0], r4, r9, %[s0]\n\t"             \
  "smlad %[s1], r5, r10, %[s1]\n\t"            \
  "ldrd r4, r5, [%[codes]], #8\n\t"            \
  "ldrd r9, r10, [%[weights]], #8\n\t"         \
  "smlad %[s2], r4, r9, %[s2]\n\t"             \
  "smlad %[s3], r5, r10, %[s3]\n\t"            \
  "subs r6, r6, #1\n\t"                        \
  "bne 3b\n"                                   \
  "4:\n\t"                                     \
  "ldrd r4, r5, [%[codes]], #8\n\t"            \
  "ldrd r9, r10, [%[weights]], #8\n\t"         \
  TINYML_LAST_ROW                              \
  "subs r8, r8, #1\n\t"                        \
  "bne 2b\n\t"

// As rescale() and saturate(): r9 points to the Rescaling.
#define TINYML_CODE(sum)                       \
  "ldmia r9!, {r4, r5, r6}\n\t"                \
  "add r8, " sum ", r5, asr #1\n\t"            \
  "add r8, r8, " sum ", asr #31\n\t"           \
  "smmlar " sum ", " sum ", r4, r8\n\t"        \
  "asr " sum ", " sum ", r6\n\t"               \
  "ssat " sum ", #8, " sum "\n\t"

#define TINYML_OUTPUTS(columns)                \
  "1:\n\t"                                     \
  "ldrd %[s0], %[s1], [%[kernel]]\n\t"         \
  "ldrd %[s2], %[s3], [%[kernel], #8]\n\t"     \
  columns                                      \
  "add r9, %[kernel], #16\n\t"                 \
  TINYML_CODE("%[s0]")                         \
  TINYML_CODE("%[s1]")                         \
  TINYML_CODE("%[s2]")                         \
  TINYML_CODE("%[s3]")                         \
  "ldmia r9, {r4, r5, r6}\n\t"                 \
  "cbz r4, 5f\n\t"                             \
  "ldrsb %[s0], [r4, %[s0]]\n\t"               \
  "ldrsb %[s1], [r4, %[s1]]\n\t"               \
  "ldrsb %[s2], [r4, %[s2]]\n\t"               \
  "ldrsb %[s3], [r4, %[s3]]\n"                 \
  "5:\n\t"                                     \
  "strb %[s0], [%[output]]\n\t"                \
  "strb %[s1], [%[output], #1]\n\t"            \
  "strb %[s2], [%[output], #2]\n\t"            \
  "strb %[s3], [%[output], #3]\n\t"            \
  "ldr r4, [%[kernel], #84]\n\t"               \
  "add %[codes], %[codes], r5\n\t"             \
  "add %[output], %[output], r6\n\t"           \
  "subs r4, r4, #1\n\t"                        \
  "str r4, [%[kernel], #84]\n\t"               \
  "bne 1b\n\t"
// clang-format on

// The outputs of a row, `count` of them.
TINYML_ALL_REGISTERS TINYML_KERNEL void convolve(Kernel& kernel, const Word* codes,
                                                 std::int8_t* output) {
  std::int32_t s0, s1, s2, s3;
  if (kernel.pairs == 1 && kernel.columns == 3) {
    asm volatile(
        TINYML_OUTPUTS(TINYML_COLUMN_OF_3("0") TINYML_COLUMN_OF_3("1") TINYML_COLUMN_OF_3("2"))
        : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [codes] "+r"(codes),
          [output] "+r"(output)
        : [kernel] "r"(&kernel)
        : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
  } else {
    const Word* weights;
    asm volatile(TINYML_OUTPUTS(TINYML_COLUMNS)
                 : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3),
                   [codes] "+r"(codes), [output] "+r"(output), [weights] "=&r"(weights)
                 : [kernel] "r"(&kernel)
                 : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
  }
}

#undef TINYML_COLUMN_OF_3
#undef TINYML_LAST_ROW
#undef TINYML_COLUMNS
#undef TINYML_CODE
#undef TINYML_OUTPUTS

#else

inline void convolve(Kernel& kernel, const Word* codes, std::int8_t* output) {
  for (; kernel.count > 0; --kernel.count, output += kernel.output_step) {
    std::int32_t sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = kernel.bias[i];
    const Word* weights = kernel.weights;
    for (std::int32_t column = 0; column < kernel.columns; ++column) {
      for (std::int32_t pair = 0; pair < kernel.pairs; ++pair) {
        for (std::int32_t& sum : sums) {
          sum += multiply_low(*codes, *weights) + multiply_high(*codes, *weights);
          ++codes, ++weights;
        }
      }
      for (int i = 0; i < 2; ++i, ++codes, ++weights) {
        sums[i] += multiply_low(*codes, *weights);
        sums[i + 2] += multiply_high(*codes, *weights);
      }
    }
    codes += kernel.codes_step / 4;
    for (int i = 0; i < 4; ++i) {
      const std::int32_t code = saturate(rescale(sums[i], kernel.by[i]));
      output[i] = kernel.table == nullptr ? static_cast<std::int8_t>(code) : kernel.table[code];
    }
  }
}

#endif

}  // namespace dsp
}  // namespace tinyml
