// All output channels of eight pixels, as channels.hpp does it for fewer, with weights that are
// whole words: 24 instructions for 32 products. Eight sums, four words of codes, their address and
// one word of weights are all general registers; the rest of the loop's state, and eight words of
// weights, are in those of the FPU.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/channels.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/dsp/requantize.hpp"
#include "runtime/kernels/params.hpp"

#if TINYML_ASSEMBLY && defined(__ARM_FP)

namespace tinyml {
namespace dsp {

constexpr std::int32_t kMostPixels = 8;

// What the loop keeps in s16 to s30; addresses are relative to the first pixel's output, which
// counts channels.
struct EightPixels {
  std::uintptr_t scales;       // s16: plus 8 * output: bias
  std::int8_t* output;         // s17
  std::uintptr_t multipliers;  // s18: plus 8 * output
  std::int32_t filter;         // s19
  std::uintptr_t weights;      // s20: plus filter * output
  const Word* codes;           // s21
  std::uintptr_t entry;        // s22: where the first round of blocks starts, from 9: on
  std::uintptr_t next;         // s23: weights that are yet to be read
  const Word* end;             // s24: of the codes
  std::uintptr_t shifts;       // s25: plus output
  std::int32_t rounding;       // s26: 2 * zero point + 1
  std::int32_t channels;       // s27
  std::int32_t thrice;         // s28: 3 * channels
  const std::int8_t* table;    // s29: of code 0, or null
  const std::int8_t* stop;     // s30: behind the first pixel's last channel
};

// clang-format off
// Four weights, in an FPU register; s0 to s3 are the sums' summands.
#define TINYML_EIGHT(weights, s0, s1, s2, s3, s4, s5, s6, s7) \
  TINYML_EIGHT_HALF(weights, "", s0, s1, s2, s3, s4, s5, s6, s7) \
  TINYML_EIGHT_HALF(weights, ", ror #8", "r0", "r1", "r2", "r3", "r9", "r10", "r11", "r12")

#define TINYML_EIGHT_HALF(weights, rotation, s0, s1, s2, s3, s4, s5, s6, s7) \
  "vmov %[t], " weights "\n\t"                    \
  "ldmia lr!, {r4, r5, r6, r8}\n\t"               \
  "sxtb16 %[t], %[t]" rotation "\n\t"             \
  "smlad r0, r4, %[t], " s0 "\n\t"                \
  "smlad r1, r5, %[t], " s1 "\n\t"                \
  "smlad r2, r6, %[t], " s2 "\n\t"                \
  "smlad r3, r8, %[t], " s3 "\n\t"                \
  "ldmia lr!, {r4, r5, r6, r8}\n\t"               \
  "smlad r9, r4, %[t], " s4 "\n\t"                \
  "smlad r10, r5, %[t], " s5 "\n\t"               \
  "smlad r11, r6, %[t], " s6 "\n\t"               \
  "smlad r12, r8, %[t], " s7 "\n\t"

#define TINYML_EIGHT_MORE(weights) \
  TINYML_EIGHT(weights, "r0", "r1", "r2", "r3", "r9", "r10", "r11", "r12")

// The way into a round of fewer than eight blocks: 12 bytes.
#define TINYML_EIGHT_ENTRY(weights, block)        \
  "vldmia.32 %[t]!, {" weights "}\n\t"            \
  "vmov s23, %[t]\n\t"                            \
  "b.w " block "\n\t"

// As rescale() and saturate(): the multiplier is in r5, the shift in r6, the summand in r8.
#define TINYML_EIGHT_CODE(sum, sign)              \
  "add %[t], " sum ", r8, asr #1\n\t"             \
  sign(sum)                                       \
  "smmlar " sum ", " sum ", r5, %[t]\n\t"         \
  "asr " sum ", " sum ", r6\n\t"                  \
  "ssat " sum ", #8, " sum "\n\t"

#define TINYML_EIGHT_SIGN(sum) "add %[t], %[t], " sum ", asr #31\n\t"
#define TINYML_EIGHT_NO_SIGN(sum)

#define TINYML_EIGHT_CODES(sign)                                            \
  TINYML_EIGHT_CODE("r0", sign) TINYML_EIGHT_CODE("r1", sign)               \
  TINYML_EIGHT_CODE("r2", sign) TINYML_EIGHT_CODE("r3", sign)               \
  TINYML_EIGHT_CODE("r9", sign) TINYML_EIGHT_CODE("r10", sign)              \
  TINYML_EIGHT_CODE("r11", sign) TINYML_EIGHT_CODE("r12", sign)
// clang-format on

TINYML_ALL_REGISTERS TINYML_KERNEL void channels_of_eight(const Conv2DInt8& op,
                                                          const std::int8_t* weights,
                                                          const Word* codes, std::int32_t filter,
                                                          std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels, blocks = filter / 4;
  const auto counter = reinterpret_cast<std::uintptr_t>(output);
  const auto step = static_cast<std::uintptr_t>(filter);
  const auto scales = reinterpret_cast<std::uintptr_t>(op.to.scales) - 8 * counter;
  EightPixels state{scales,
                    output,
                    scales + sizeof(std::int32_t),
                    filter,
                    reinterpret_cast<std::uintptr_t>(weights) - step * counter,
                    codes,
                    static_cast<std::uintptr_t>(12 * (7 - (blocks - 1) % 8) + 1),
                    0,
                    codes + 16 * blocks,
                    reinterpret_cast<std::uintptr_t>(op.to.shifts) - counter,
                    2 * op.to.output_zero_point + 1,
                    channels,
                    3 * channels,
                    op.to.table == nullptr ? nullptr : op.to.table + 128,
                    output + channels};
  register const EightPixels* from asm("r0") = &state;
  register std::uint32_t floored asm("r1") = floors(op.to) ? 1 : 0;
  Word t;
  asm volatile(
      "vldmia.32 r0, {s16-s30}\n\t"
      "vmov s9, r1\n\t"
      "vmov r1, s22\n\t"
      "adr.w %[t], 9f\n\t"
      "add %[t], %[t], r1\n\t"
      "vmov s22, %[t]\n"
      "1:\n\t"
      "vmov r5, r4, s16, s17\n\t"
      "ldr r12, [r5, r4, lsl #3]\n\t"
      "vmov r5, r6, s19, s20\n\t"
      "mla %[t], r4, r5, r6\n\t"
      "vldmia.32 %[t]!, {s8}\n\t"
      "vmov s23, %[t]\n\t"
      "vmov lr, s21\n\t"  //
      TINYML_EIGHT("s8", "r12", "r12", "r12", "r12", "r12", "r12", "r12", "r12")
      "vmov r4, %[t], s22, s23\n\t"
      "bx r4\n\t"
      ".balign 4\n"
      "9:\n\t"  //
      TINYML_EIGHT_ENTRY("s1-s7", "11f") TINYML_EIGHT_ENTRY("s2-s7", "12f")
      TINYML_EIGHT_ENTRY("s3-s7", "13f") TINYML_EIGHT_ENTRY("s4-s7", "14f")
      TINYML_EIGHT_ENTRY("s5-s7", "15f") TINYML_EIGHT_ENTRY("s6-s7", "16f")
      TINYML_EIGHT_ENTRY("s7", "17f")
      "b.w 3f\n"
      "2:\n\t"
      "vmov %[t], s23\n\t"
      "vldmia.32 %[t]!, {s0-s7}\n\t"
      "vmov s23, %[t]\n\t"  //
      TINYML_EIGHT_MORE("s0") "11:\n\t" TINYML_EIGHT_MORE("s1") "12:\n\t" TINYML_EIGHT_MORE("s2")
      "13:\n\t" TINYML_EIGHT_MORE("s3") "14:\n\t" TINYML_EIGHT_MORE("s4") "15:\n\t"
      TINYML_EIGHT_MORE("s5") "16:\n\t" TINYML_EIGHT_MORE("s6") "17:\n\t" TINYML_EIGHT_MORE("s7")
      "3:\n\t"
      "vmov %[t], s24\n\t"
      "cmp lr, %[t]\n\t"
      "bne.w 2b\n\t"
      "vmov r4, r5, s17, s18\n\t"
      "ldr r5, [r5, r4, lsl #3]\n\t"
      "vmov r6, r8, s25, s26\n\t"
      "ldrsb r6, [r6, r4]\n\t"
      "lsl r5, r5, #1\n\t"
      "lsl r8, r8, r6\n\t"
      "vmov %[t], s9\n\t"
      "cmp %[t], #0\n\t"
      "bne.w 4f\n\t"  //
      TINYML_EIGHT_CODES(TINYML_EIGHT_SIGN)
      "vmov %[t], s29\n\t"
      "cmp %[t], #0\n\t"
      "beq.w 5f\n\t"
      "ldrsb r0, [%[t], r0]\n\t"
      "ldrsb r1, [%[t], r1]\n\t"
      "ldrsb r2, [%[t], r2]\n\t"
      "ldrsb r3, [%[t], r3]\n\t"
      "ldrsb r9, [%[t], r9]\n\t"
      "ldrsb r10, [%[t], r10]\n\t"
      "ldrsb r11, [%[t], r11]\n\t"
      "ldrsb r12, [%[t], r12]\n\t"
      "b.w 5f\n"
      "4:\n\t"  //
      TINYML_EIGHT_CODES(TINYML_EIGHT_NO_SIGN)
      "5:\n\t"
      "vmov r5, r6, s27, s28\n\t"
      "add r8, r4, r5\n\t"
      "strb r1, [r4, r5]\n\t"
      "strb r2, [r4, r5, lsl #1]\n\t"
      "strb r3, [r4, r6]\n\t"
      "strb r9, [r4, r5, lsl #2]\n\t"
      "strb r10, [r8, r5, lsl #2]\n\t"
      "strb r11, [r4, r6, lsl #1]\n\t"
      "strb r12, [r8, r6, lsl #1]\n\t"
      "strb r0, [r4], #1\n\t"
      "vmov s17, r4\n\t"
      "vmov %[t], s30\n\t"
      "cmp r4, %[t]\n\t"
      "bne.w 1b\n\t"
      : [t] "=&r"(t), "+r"(from), "+r"(floored)
      :
      : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1", "s2", "s3",
        "s4", "s5", "s6", "s7", "s8", "s9", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23",
        "s24", "s25", "s26", "s27", "s28", "s29", "s30", "cc", "memory");
}

#undef TINYML_EIGHT
#undef TINYML_EIGHT_HALF
#undef TINYML_EIGHT_MORE
#undef TINYML_EIGHT_ENTRY
#undef TINYML_EIGHT_CODE
#undef TINYML_EIGHT_SIGN
#undef TINYML_EIGHT_NO_SIGN
#undef TINYML_EIGHT_CODES

}  // namespace dsp
}  // namespace tinyml

#else

namespace tinyml {
namespace dsp {

// There is no assembly of eight pixels without an FPU: kernels then take four at most.
constexpr std::int32_t kMostPixels = TINYML_ASSEMBLY ? 4 : 8;

inline void channels_of_eight(const Conv2DInt8& op, const std::int8_t* weights, const Word* codes,
                              std::int32_t filter, std::int8_t* output) {
  Conv2DInt8 aligned = op;
  aligned.weights = weights;
  channels_of<kMostPixels>(aligned, codes, filter, output);
}

}  // namespace dsp
}  // namespace tinyml

#endif
