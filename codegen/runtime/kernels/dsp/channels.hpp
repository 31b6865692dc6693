// All output channels of a few pixels: dot products of weights with widened windows, and codes.
//
// Codes are interleaved: for every 4 weights there are `Pixels` words of codes 0 and 2, one of each
// pixel, and as many of codes 1 and 3. A word of weights is then unpacked once for all pixels, by
// two instructions.
//
// The whole loop over channels is assembly: gcc 12 moves everything but the sums between registers
// and the stack, which costs more than a dot product of 16 codes.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace dsp {

#if TINYML_ASSEMBLY

// What the loop keeps in memory. The assembly knows the offsets.
struct Channels {
  const std::int32_t* scales;  // 0
  const Word* codes;           // 4
  const std::int8_t* shifts;   // 8
  std::int32_t rounding;       // 12: 2 * zero point + 1
  const std::int8_t* table;    // 16: of code 0, or null
  std::int32_t channels;       // 20
  const std::int8_t* last;     // 24: output of the first pixel's last channel, and 1
  std::int32_t padding;        // 28: bytes that the dot product reads behind a channel's weights
  std::int8_t* output;         // 32
};

// clang-format off
// Two blocks of 4 weights at a time; `end` is odd where their number is, then one goes first.
#define TINYML_DOT(block)                         \
  "lsrs %[t], %[end], #1\n\t"                     \
  "bcc 2f\n\t"                                    \
  block                                           \
  "cmp %[c], %[end]\n\t"                          \
  "bhs 3f\n"                                      \
  "2:\n\t"                                        \
  block                                           \
  block                                           \
  "cmp %[c], %[end]\n\t"                          \
  "blo 2b\n"                                      \
  "3:\n\t"

// The same, four at a time; `end` is 4 bytes before the end, and its lowest bits are the number of
// blocks: 1 and 2 of them go first.
#define TINYML_LONG_DOT(block)                    \
  "lsls %[t], %[end], #31\n\t"                    \
  "beq 6f\n\t"                                    \
  block                                           \
  "6:\n\t"                                        \
  "bcc 7f\n\t"                                    \
  block                                           \
  block                                           \
  "7:\n\t"                                        \
  "cmp %[c], %[end]\n\t"                          \
  "bhs 3f\n"                                      \
  "2:\n\t"                                        \
  block                                           \
  block                                           \
  block                                           \
  block                                           \
  "cmp %[c], %[end]\n\t"                          \
  "blo 2b\n"                                      \
  "3:\n\t"

#define TINYML_BLOCK_4                            \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldmia %[c]!, {r4, r5, r6, r8}\n\t"             \
  "sxtb16 %[t], %[w]\n\t"                         \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s2], r6, %[t], %[s2]\n\t"              \
  "smlad %[s3], r8, %[t], %[s3]\n\t"              \
  "ldmia %[c]!, {r4, r5, r6, r8}\n\t"             \
  "sxtb16 %[t], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s2], r6, %[t], %[s2]\n\t"              \
  "smlad %[s3], r8, %[t], %[s3]\n\t"

#define TINYML_BLOCK_2                            \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldmia %[c]!, {r4, r5, r6, r8}\n\t"             \
  "sxtb16 %[t], %[w]\n\t"                         \
  "sxtb16 %[w], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s1], r5, %[t], %[s1]\n\t"              \
  "smlad %[s0], r6, %[w], %[s0]\n\t"              \
  "smlad %[s1], r8, %[w], %[s1]\n\t"

#define TINYML_BLOCK_1                            \
  "ldr %[w], [%[weights]], #4\n\t"                \
  "ldrd r4, r5, [%[c]], #8\n\t"                   \
  "sxtb16 %[t], %[w]\n\t"                         \
  "sxtb16 %[w], %[w], ror #8\n\t"                 \
  "smlad %[s0], r4, %[t], %[s0]\n\t"              \
  "smlad %[s0], r5, %[w], %[s0]\n\t"

// As rescale() and saturate(), with the multiplier in w, the summand in r5, the shift in r6.
#define TINYML_CODE(sum)                          \
  "add %[t], " sum ", r5, asr #1\n\t"             \
  "add %[t], %[t], " sum ", asr #31\n\t"          \
  "smmlar " sum ", " sum ", %[w], %[t]\n\t"       \
  "asr " sum ", " sum ", r6\n\t"                  \
  "ssat " sum ", #8, " sum "\n\t"

#define TINYML_LOOK_UP(sum) "ldrsb " sum ", [r4, " sum "]\n\t"

#define TINYML_TABLE(look_up)                     \
  "ldrd r4, r5, [%[loop], #16]\n\t"               \
  "cbz r4, 4f\n\t"                                \
  look_up                                         \
  "4:\n\t"

// `bias`, `codes`, `look_up` and `store` do for every sum what their names say.
// The multiplier goes to `w`.
#define TINYML_CHANNELS(bias, dot, codes, look_up, store) \
  "1:\n\t"                                        \
  "ldrd %[t], %[c], [%[loop], #0]\n\t"            \
  "ldr %[s0], [%[t]], #8\n\t"                     \
  bias                                            \
  "str %[t], [%[loop], #0]\n\t"                   \
  dot                                             \
  "ldr %[t], [%[loop], #0]\n\t"                   \
  "ldr %[w], [%[t], #-4]\n\t"                     \
  "ldrd r4, r5, [%[loop], #8]\n\t"                \
  "ldrsb r6, [r4], #1\n\t"                        \
  "str r4, [%[loop], #8]\n\t"                     \
  "lsl %[w], %[w], #1\n\t"                        \
  "lsl r5, r5, r6\n\t"                            \
  codes                                           \
  look_up                                         \
  "ldr %[c], [%[loop], #32]\n\t"                  \
  "ldrd r6, %[t], [%[loop], #24]\n\t"             \
  store                                           \
  "strb %[s0], [%[c]], #1\n\t"                    \
  "sub %[weights], %[weights], %[t]\n\t"          \
  "str %[c], [%[loop], #32]\n\t"                  \
  "cmp %[c], r6\n\t"                              \
  "bne 1b\n\t"
// clang-format on

template <int Pixels>
TINYML_ALL_REGISTERS TINYML_KERNEL void channels_of(const Conv2DInt8& op, const Word* codes,
                                                    std::int32_t filter, std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels, blocks = (filter + 3) / 4;
  const std::int8_t* table = op.to.table == nullptr ? nullptr : op.to.table + 128;
  Channels state{op.to.scales, codes,    op.to.shifts,      2 * op.to.output_zero_point + 1,
                 table,        channels, output + channels, 4 * blocks - filter,
                 output};
  std::uintptr_t end = reinterpret_cast<std::uintptr_t>(codes + 2 * Pixels * blocks);
  end += Pixels > 1 ? static_cast<std::uintptr_t>(blocks & 3) - 4
                    : std::uintptr_t{0} - static_cast<std::uintptr_t>(blocks & 1);
  const std::int8_t* weights = op.weights;
  std::int32_t s0;
  Word w, t, c;
  if constexpr (Pixels == 4) {
    std::int32_t s1, s2, s3;
    asm volatile(TINYML_CHANNELS("mov %[s1], %[s0]\n\tmov %[s2], %[s0]\n\tmov %[s3], %[s0]\n\t",
                                 TINYML_LONG_DOT(TINYML_BLOCK_4),
                                 TINYML_CODE("%[s0]") TINYML_CODE("%[s1]")  //
                                 TINYML_CODE("%[s2]") TINYML_CODE("%[s3]"),
                                 TINYML_TABLE(TINYML_LOOK_UP("%[s0]") TINYML_LOOK_UP("%[s1]")
                                                  TINYML_LOOK_UP("%[s2]") TINYML_LOOK_UP("%[s3]")),
                                 "strb %[s1], [%[c], r5]\n\tstrb %[s2], [%[c], r5, lsl #1]\n\t"
                                 "add %[w], %[c], r5, lsl #1\n\tstrb %[s3], [%[w], r5]\n\t")
                 : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [w] "=&r"(w),
                   [t] "=&r"(t), [c] "=&r"(c), [weights] "+r"(weights)
                 : [end] "r"(end), [loop] "r"(&state)
                 : "r4", "r5", "r6", "r8", "cc", "memory");
  } else if constexpr (Pixels == 2) {
    std::int32_t s1;
    asm volatile(TINYML_CHANNELS("mov %[s1], %[s0]\n\t", TINYML_LONG_DOT(TINYML_BLOCK_2),
                                 TINYML_CODE("%[s0]") TINYML_CODE("%[s1]"),
                                 TINYML_TABLE(TINYML_LOOK_UP("%[s0]") TINYML_LOOK_UP("%[s1]")),
                                 "strb %[s1], [%[c], r5]\n\t")
                 : [s0] "=&r"(s0), [s1] "=&r"(s1), [w] "=&r"(w), [t] "=&r"(t), [c] "=&r"(c),
                   [weights] "+r"(weights)
                 : [end] "r"(end), [loop] "r"(&state)
                 : "r4", "r5", "r6", "r8", "cc", "memory");
  } else {
    asm volatile(TINYML_CHANNELS("", TINYML_DOT(TINYML_BLOCK_1), TINYML_CODE("%[s0]"),
                                 TINYML_TABLE(TINYML_LOOK_UP("%[s0]")), "")
                 : [s0] "=&r"(s0), [w] "=&r"(w), [t] "=&r"(t), [c] "=&r"(c), [weights] "+r"(weights)
                 : [end] "r"(end), [loop] "r"(&state)
                 : "r4", "r5", "r6", "cc", "memory");
  }
}

#undef TINYML_DOT
#undef TINYML_LONG_DOT
#undef TINYML_BLOCK_4
#undef TINYML_BLOCK_2
#undef TINYML_BLOCK_1
#undef TINYML_CODE
#undef TINYML_LOOK_UP
#undef TINYML_TABLE
#undef TINYML_CHANNELS

#else

template <int Pixels>
TINYML_KERNEL void channels_of(const Conv2DInt8& op, const Word* codes, std::int32_t filter,
                               std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels;
  for (std::int32_t channel = 0; channel < channels; ++channel) {
    const std::int32_t* scales = op.to.scales + 2 * channel;
    const Rescaling by = rescaling(scales[1], op.to.shifts[channel], op.to.output_zero_point);
    for (int pixel = 0; pixel < Pixels; ++pixel) {
      std::int32_t sum = scales[0];
      for (std::int32_t i = 0; i < filter; i += 4) {
        const Word weights = load(op.weights + channel * filter + i);
        const Word* pair = codes + i / 2 * Pixels + pixel;
        sum += multiply_low(pair[0], even(weights)) + multiply_high(pair[0], even(weights));
        sum += multiply_low(pair[Pixels], odd(weights)) + multiply_high(pair[Pixels], odd(weights));
      }
      const std::int32_t code = saturate(rescale(sum, by));
      output[pixel * channels + channel] =
          op.to.table == nullptr ? static_cast<std::int8_t>(code) : op.to.table[code + 128];
    }
  }
}

#endif

}  // namespace dsp
}  // namespace tinyml
