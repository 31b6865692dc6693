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
TINYML_ALL_REGISTERS TINYML_KERNEL void pack_three_rows(Source first, std::int32_t row,
                                                        std::int32_t count, Word* to) {
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

// The words of `count` pairs of neighbours in a line of codes that lie `step` bytes apart.
inline void pack_neighbours(const std::int8_t* codes, std::int32_t step, std::int32_t count,
                            Word* to) {
#if TINYML_ASSEMBLY
  if (count <= 0) return;
  asm volatile(
      "1:\n\t"
      "ldr r4, [%[codes]]\n\t"
      "ldr r5, [%[codes], %[step]]\n\t"
      "add %[codes], %[codes], %[step], lsl #1\n\t"
      "pkhtb r6, r5, r4, asr #16\n\t"
      "pkhbt r5, r4, r5, lsl #16\n\t"
      "sxtb16 r4, r5\n\t"
      "sxtb16 r5, r5, ror #8\n\t"
      "sxtb16 r8, r6, ror #8\n\t"
      "sxtb16 r6, r6\n\t"
      "stmia %[to]!, {r4, r5, r6, r8}\n\t"
      "subs %[count], %[count], #1\n\t"
      "bne 1b\n\t"
      : [codes] "+r"(codes), [count] "+r"(count), [to] "+r"(to)
      : [step] "r"(step)
      : "r4", "r5", "r6", "r8", "cc", "memory");
#else
  pack_two_rows({codes, 2 * step}, {codes + step, 2 * step}, count, to, 4);
#endif
}

// The words of `pairs` pairs of neighbours in a line. Only those from number `first` on are codes,
// `count` of them; `outside` stands for the others.
TINYML_KERNEL void pack_line(Source line, std::int32_t first, std::int32_t count,
                             const std::int8_t* outside, std::int32_t pairs, Word* to) {
  const Word* end = to + 4 * pairs;
  const std::int8_t* codes = line.codes;
  const auto pack = [&to](const std::int8_t* left, const std::int8_t* right) {
    pack_two_rows({left, 0}, {right, 0}, 1, to, 4);
    to += 4;
  };
  for (std::int32_t pair = first / 2; pair > 0 && to != end; --pair) pack(outside, outside);
  if (first % 2 != 0 && count > 0) {
    pack(outside, codes);
    codes += line.step;
    --count;
  }
  pack_neighbours(codes, line.step, count / 2, to);
  to += 4 * (count / 2);
  if (count % 2 != 0) pack(codes + (count - 1) * line.step, outside);
  while (to != end) pack(outside, outside);
}

// All words of `height` rows that lie `row` bytes apart. Only rows [y0, y1) are there; `outside`
// stands for the codes of others.
TINYML_KERNEL void pack_columns(Source first, std::int32_t row, std::int32_t height,
                                std::int32_t y0, std::int32_t y1, const std::int8_t* outside,
                                std::int32_t count, Word* to) {
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
  const std::int8_t* end;             // 84: behind the last output
  const Word* weights_end;            // 88: of convolve_row
  Word weights[7 * column_words(3)];  // 92

  // Bias, multipliers and table of the channels from `channel` on.
  void scale(const Requantization& to, std::int32_t channel) {
    const std::int32_t* scales = to.scales + 2 * channel;
    const std::int8_t* shifts = to.shifts + channel;
#pragma GCC unroll 4
    for (std::int32_t i = 0; i < 4; ++i) {
      bias[i] = scales[2 * i];
      by[i] = rescaling(scales[2 * i + 1], shifts[i], to.output_zero_point);
    }
  }
};

#if TINYML_ASSEMBLY

// clang-format off
#define TINYML_COLUMN_OF_3(weights)            \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"      \
  "ldrd r9, r10, [%[kernel], #92 + 24 * " weights "]\n\t" \
  "smlad %[s0], r4, r9, %[s0]\n\t"             \
  "smlad %[s1], r5, r10, %[s1]\n\t"            \
  "ldrd r9, r10, [%[kernel], #100 + 24 * " weights "]\n\t" \
  "smlad %[s2], r6, r9, %[s2]\n\t"             \
  "smlad %[s3], r8, r10, %[s3]\n\t"            \
  "ldrd r4, r5, [%[codes]], #8\n\t"            \
  "ldrd r9, r10, [%[kernel], #108 + 24 * " weights "]\n\t" \
  TINYML_LAST_ROW

#define TINYML_LAST_ROW                        \
  "smlabb %[s0], r4, r9, %[s0]\n\t"            \
  "smlabb %[s1], r5, r10, %[s1]\n\t"           \
  "smlatt %[s2], r4, r9, %[s2]\n\t"            \
  "smlatt %[s3], r5, r10, %[s3]\n\t"

// Any columns: r6 counts pairs of rows, r8 columns.
#define TINYML_COLUMNS                         \
  "add %[weights], %[kernel], #92\n\t"         \
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

#define TINYML_PAIR(number)                    \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"      \
  "ldrd r9, r10, [%[kernel], #92 + 16 * " number "]\n\t" \
  "smlad %[s0], r4, r9, %[s0]\n\t"             \
  "smlad %[s1], r5, r10, %[s1]\n\t"            \
  "ldrd r9, r10, [%[kernel], #100 + 16 * " number "]\n\t" \
  "smlad %[s2], r6, r9, %[s2]\n\t"             \
  "smlad %[s3], r8, r10, %[s3]\n\t"

#define TINYML_NEXT_PAIR                       \
  "ldmia %[codes]!, {r4, r5, r6, r8}\n\t"      \
  "ldrd r9, r10, [%[weights]], #8\n\t"         \
  "smlad %[s0], r4, r9, %[s0]\n\t"             \
  "smlad %[s1], r5, r10, %[s1]\n\t"            \
  "ldrd r9, r10, [%[weights]], #8\n\t"         \
  "smlad %[s2], r6, r9, %[s2]\n\t"             \
  "smlad %[s3], r8, r10, %[s3]\n\t"

// Any pairs of a row, two at a time; an odd one goes first.
#define TINYML_PAIRS                           \
  "ldr r9, [%[kernel], #76]\n\t"               \
  "add %[weights], %[kernel], #92\n\t"         \
  "lsrs r10, r9, #1\n\t"                       \
  "bcc 3f\n\t"                                 \
  TINYML_NEXT_PAIR                             \
  "b 4f\n"                                     \
  "3:\n\t"                                     \
  TINYML_NEXT_PAIR                             \
  TINYML_NEXT_PAIR                             \
  "4:\n\t"                                     \
  "ldr r9, [%[kernel], #88]\n\t"               \
  "cmp %[weights], r9\n\t"                     \
  "bne 3b\n\t"

// As rescale() and saturate(): r9 points to the Rescaling. Floored codes do not need the sign.
#define TINYML_SIGN(sum) "add r8, r8, " sum ", asr #31\n\t"
#define TINYML_NO_SIGN(sum)

#define TINYML_CODE(sum, sign)                 \
  "ldmia r9!, {r4, r5, r6}\n\t"                \
  "add r8, " sum ", r5, asr #1\n\t"            \
  sign(sum)                                    \
  "smmlar " sum ", " sum ", r4, r8\n\t"        \
  "asr " sum ", " sum ", r6\n\t"               \
  "ssat " sum ", #8, " sum "\n\t"

#define TINYML_NO_TABLE "ldrd r5, r6, [r9, #4]\n\t"
#define TINYML_TABLE                           \
  "ldmia r9, {r4, r5, r6}\n\t"                 \
  "cbz r4, 5f\n\t"                             \
  "ldrsb %[s0], [r4, %[s0]]\n\t"               \
  "ldrsb %[s1], [r4, %[s1]]\n\t"               \
  "ldrsb %[s2], [r4, %[s2]]\n\t"               \
  "ldrsb %[s3], [r4, %[s3]]\n"                 \
  "5:\n\t"

#define TINYML_OUTPUTS(columns, stop, sign, table) \
  "1:\n\t"                                     \
  "ldmia %[kernel], {r0, r1, r2, r3}\n\t"      \
  columns                                      \
  "add r9, %[kernel], #16\n\t"                 \
  TINYML_CODE("%[s0]", sign)                   \
  TINYML_CODE("%[s1]", sign)                   \
  TINYML_CODE("%[s2]", sign)                   \
  TINYML_CODE("%[s3]", sign)                   \
  table                                        \
  "strb %[s0], [%[output]]\n\t"                \
  "strb %[s1], [%[output], #1]\n\t"            \
  "strb %[s2], [%[output], #2]\n\t"            \
  "strb %[s3], [%[output], #3]\n\t"            \
  "add %[codes], %[codes], r5\n\t"             \
  "add %[output], %[output], r6\n\t"           \
  stop                                         \
  "bne 1b\n\t"

// Where `columns` leaves `weights` alone, it holds the end.
#define TINYML_STOP "cmp %[output], %[weights]\n\t"
#define TINYML_LOADED_STOP "ldr r4, [%[kernel], #84]\n\tcmp %[output], r4\n\t"

// All outputs of a row; `columns` may use registers 4 to 10 but 7.
#define TINYML_CONVOLVE(columns, stop)                                                            \
  do {                                                                                            \
    register std::int32_t s0 asm("r0");                                                           \
    register std::int32_t s1 asm("r1");                                                           \
    register std::int32_t s2 asm("r2");                                                           \
    register std::int32_t s3 asm("r3");                                                           \
    const void* weights = kernel.end;                                                             \
    if constexpr (Floored) {                                                                      \
      asm volatile(TINYML_OUTPUTS(columns, stop, TINYML_NO_SIGN, TINYML_NO_TABLE)                 \
                       TINYML_OPERANDS);                                                          \
    } else {                                                                                      \
      asm volatile(TINYML_OUTPUTS(columns, stop, TINYML_SIGN, TINYML_TABLE) TINYML_OPERANDS);     \
    }                                                                                             \
  } while (false)

#define TINYML_OPERANDS                                                                           \
  : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [codes] "+r"(codes),          \
    [output] "+r"(output), [weights] "+r"(weights)                                                \
  : [kernel] "r"(&kernel)                                                                         \
  : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory"
// clang-format on

// The outputs of a row, up to kernel.end. They are floored where `floors` says so.
template <bool Floored>
TINYML_ALL_REGISTERS TINYML_KERNEL void convolve(const Kernel& kernel, const Word* codes,
                                                 std::int8_t* output) {
  if (kernel.pairs == 1 && kernel.columns == 3) {
    TINYML_CONVOLVE(TINYML_COLUMN_OF_3("0") TINYML_COLUMN_OF_3("1") TINYML_COLUMN_OF_3("2"),
                    TINYML_STOP);
  } else {
    TINYML_CONVOLVE(TINYML_COLUMNS, TINYML_LOADED_STOP);
  }
}

// The same for a kernel of one row, whose pairs of columns lie as pairs of rows do.
template <bool Floored>
TINYML_ALL_REGISTERS TINYML_KERNEL void convolve_row(const Kernel& kernel, const Word* codes,
                                                     std::int8_t* output) {
  if (kernel.pairs == 2) {
    TINYML_CONVOLVE(TINYML_PAIR("0") TINYML_PAIR("1"), TINYML_STOP);
  } else if (kernel.pairs == 3) {
    TINYML_CONVOLVE(TINYML_PAIR("0") TINYML_PAIR("1") TINYML_PAIR("2"), TINYML_STOP);
  } else if (kernel.pairs == 4) {
    TINYML_CONVOLVE(TINYML_PAIR("0") TINYML_PAIR("1") TINYML_PAIR("2") TINYML_PAIR("3"),
                    TINYML_STOP);
  } else if (kernel.pairs == 5) {
    TINYML_CONVOLVE(TINYML_PAIR("0") TINYML_PAIR("1") TINYML_PAIR("2") TINYML_PAIR("3")
                        TINYML_PAIR("4"),
                    TINYML_STOP);
  } else {
    TINYML_CONVOLVE(TINYML_PAIRS, TINYML_LOADED_STOP);
  }
}

#undef TINYML_COLUMN_OF_3
#undef TINYML_LAST_ROW
#undef TINYML_COLUMNS
#undef TINYML_PAIR
#undef TINYML_NEXT_PAIR
#undef TINYML_PAIRS
#undef TINYML_SIGN
#undef TINYML_NO_SIGN
#undef TINYML_CODE
#undef TINYML_NO_TABLE
#undef TINYML_TABLE
#undef TINYML_OUTPUTS
#undef TINYML_STOP
#undef TINYML_LOADED_STOP
#undef TINYML_CONVOLVE
#undef TINYML_OPERANDS

#else

namespace columns_detail {

inline const Word* add_pair(const Word* codes, const Word* weights, std::int32_t* sums) {
  for (int i = 0; i < 4; ++i) {
    sums[i] += multiply_low(codes[i], weights[i]) + multiply_high(codes[i], weights[i]);
  }
  return codes + 4;
}

inline void finish(const Kernel& kernel, const std::int32_t* sums, std::int8_t* output) {
  for (int i = 0; i < 4; ++i) {
    const std::int32_t code = saturate(rescale(sums[i], kernel.by[i]));
    output[i] = kernel.table == nullptr ? static_cast<std::int8_t>(code) : kernel.table[code];
  }
}

}  // namespace columns_detail

template <bool Floored>
void convolve(const Kernel& kernel, const Word* codes, std::int8_t* output) {
  for (; output != kernel.end; output += kernel.output_step) {
    std::int32_t sums[4] = {kernel.bias[0], kernel.bias[1], kernel.bias[2], kernel.bias[3]};
    const Word* weights = kernel.weights;
    for (std::int32_t column = 0; column < kernel.columns; ++column) {
      for (std::int32_t pair = 0; pair < kernel.pairs; ++pair, weights += 4) {
        codes = columns_detail::add_pair(codes, weights, sums);
      }
      for (int i = 0; i < 2; ++i, ++codes, ++weights) {
        sums[i] += multiply_low(*codes, *weights);
        sums[i + 2] += multiply_high(*codes, *weights);
      }
    }
    codes += kernel.codes_step / 4;
    columns_detail::finish(kernel, sums, output);
  }
}

template <bool Floored>
void convolve_row(const Kernel& kernel, const Word* codes, std::int8_t* output) {
  for (; output != kernel.end; output += kernel.output_step) {
    std::int32_t sums[4] = {kernel.bias[0], kernel.bias[1], kernel.bias[2], kernel.bias[3]};
    for (std::int32_t pair = 0; pair < kernel.pairs; ++pair) {
      codes = columns_detail::add_pair(codes, kernel.weights + 4 * pair, sums);
    }
    codes += kernel.codes_step / 4;
    columns_detail::finish(kernel, sums, output);
  }
}

#endif

}  // namespace dsp
}  // namespace tinyml
