// Two output channels of one pixel at a time, as dense layers have them: 37 instructions for 32
// products. As in eight_pixels.hpp, the FPU's registers hold the loop's state.
#pragma once

#include <cstdint>

#include "runtime/kernels/dsp/channels.hpp"
#include "runtime/kernels/dsp/intrinsics.hpp"
#include "runtime/kernels/params.hpp"

namespace tinyml {
namespace dsp {

#if TINYML_ASSEMBLY && defined(__ARM_FP)

constexpr std::int32_t kTwoChannelsStep = 32;  // of the weights of a channel

// What the loop keeps in s16 to s24; addresses are relative to the output, which counts channels.
struct TwoChannels {
  std::int8_t* output;       // s16
  std::uintptr_t scales;     // s17: plus 8 * output: bias and multiplier
  const Word* codes;         // s18
  const Word* end;           // s19: of the codes
  std::uintptr_t shifts;     // s20: plus output
  std::int32_t rounding;     // s21: 2 * zero point + 1
  const std::int8_t* table;  // s22: of code 0, or null
  const std::int8_t* stop;   // s23: behind the last channel
  std::int32_t filter;       // s24
};

// clang-format off
// Four weights.
#define TINYML_FOUR(sum, weights, even, odd)           \
  "sxtb16 %[t], " weights "\n\t"                       \
  "smlad " sum ", " even ", %[t], " sum "\n\t"         \
  "sxtb16 " weights ", " weights ", ror #8\n\t"        \
  "smlad " sum ", " odd ", " weights ", " sum "\n\t"

#define TINYML_SIXTEEN                                 \
  "ldmia %[first]!, {r9, r10, r12, lr}\n\t"            \
  "ldmia r11!, {r4, r5, r6, r8}\n\t"                   \
  TINYML_FOUR("r0", "r9", "r4", "r5")                  \
  TINYML_FOUR("r0", "r10", "r6", "r8")                 \
  "ldrd r9, r10, [%[second]], #8\n\t"                  \
  TINYML_FOUR("r1", "r9", "r4", "r5")                  \
  TINYML_FOUR("r1", "r10", "r6", "r8")                 \
  "ldmia r11!, {r4, r5, r6, r8}\n\t"                   \
  TINYML_FOUR("r0", "r12", "r4", "r5")                 \
  TINYML_FOUR("r0", "lr", "r6", "r8")                  \
  "ldrd r12, lr, [%[second]], #8\n\t"                  \
  TINYML_FOUR("r1", "r12", "r4", "r5")                 \
  TINYML_FOUR("r1", "lr", "r6", "r8")

// As rescale() and saturate().
#define TINYML_TWO_CODE(sum, multiplier, shift, twice) \
  "add %[t], " sum ", " twice ", asr #1\n\t"           \
  "add %[t], %[t], " sum ", asr #31\n\t"               \
  "smmlar " sum ", " sum ", " multiplier ", %[t]\n\t"  \
  "asr " sum ", " sum ", " shift "\n\t"                \
  "ssat " sum ", #8, " sum "\n\t"
// clang-format on

// `channels` of them, an even number, from number `channel` on; `codes` are of one pixel.
TINYML_ALL_REGISTERS TINYML_KERNEL void channels_of_one(const Conv2DInt8& op, const Word* codes,
                                                        std::int32_t filter, std::int32_t channel,
                                                        std::int32_t channels,
                                                        std::int8_t* output) {
  output += channel;
  const std::int8_t* first = op.weights + channel * filter;
  const std::int8_t* second = first + filter;
  const auto counter = reinterpret_cast<std::uintptr_t>(output);
  TwoChannels state{output,
                    reinterpret_cast<std::uintptr_t>(op.to.scales + 2 * channel) - 8 * counter,
                    codes,
                    codes + filter / 2,
                    reinterpret_cast<std::uintptr_t>(op.to.shifts + channel) - counter,
                    2 * op.to.output_zero_point + 1,
                    op.to.table == nullptr ? nullptr : op.to.table + 128,
                    output + channels,
                    filter};
  register const TwoChannels* from asm("r0") = &state;
  Word t;
  asm volatile(
      "vldmia.32 r0, {s16-s24}\n"
      "1:\n\t"
      "vmov r4, r5, s16, s17\n\t"
      "add r5, r5, r4, lsl #3\n\t"
      "ldr r0, [r5]\n\t"
      "ldr r1, [r5, #8]\n\t"
      "vmov r11, s18\n"
      "2:\n\t"  //
      TINYML_SIXTEEN TINYML_SIXTEEN
      "vmov %[t], s19\n\t"
      "cmp r11, %[t]\n\t"
      "bne 2b\n\t"
      "vmov r4, r5, s16, s17\n\t"
      "add r5, r5, r4, lsl #3\n\t"
      "ldr r6, [r5, #4]\n\t"
      "ldr r8, [r5, #12]\n\t"
      "vmov r9, r10, s20, s21\n\t"
      "add r9, r9, r4\n\t"
      "ldrsb r12, [r9]\n\t"
      "ldrsb lr, [r9, #1]\n\t"
      "lsl r6, r6, #1\n\t"
      "lsl r8, r8, #1\n\t"
      "lsl r5, r10, r12\n\t"
      "lsl r9, r10, lr\n\t"  //
      TINYML_TWO_CODE("r0", "r6", "r12", "r5") TINYML_TWO_CODE("r1", "r8", "lr", "r9")
      "vmov r5, r6, s22, s23\n\t"
      "cbz r5, 3f\n\t"
      "ldrsb r0, [r5, r0]\n\t"
      "ldrsb r1, [r5, r1]\n"
      "3:\n\t"
      "strb r0, [r4], #1\n\t"
      "strb r1, [r4], #1\n\t"
      "vmov s16, r4\n\t"
      "mov %[first], %[second]\n\t"
      "vmov %[t], s24\n\t"
      "add %[second], %[first], %[t]\n\t"
      "cmp r4, r6\n\t"
      "bne 1b\n\t"
      : [t] "=&r"(t), [first] "+r"(first), [second] "+r"(second), "+r"(from)
      :
      : "r1", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "s16", "s17", "s18", "s19",
        "s20", "s21", "s22", "s23", "s24", "cc", "memory");
}

#undef TINYML_FOUR
#undef TINYML_SIXTEEN
#undef TINYML_TWO_CODE

// All channels of one pixel.
inline void all_channels_of_one(const Conv2DInt8& op, const Word* codes, std::int32_t filter,
                                std::int8_t* output) {
  const std::int32_t channels = op.window.output.channels;
  if (filter % kTwoChannelsStep != 0 || channels < 2)
    return channels_of<1>(op, codes, filter, output);
  if (channels % 2 != 0) channels_of_one(op, codes, filter, channels - 2, 2, output);
  channels_of_one(op, codes, filter, 0, channels & ~1, output);
}

#else

inline void all_channels_of_one(const Conv2DInt8& op, const Word* codes, std::int32_t filter,
                                std::int8_t* output) {
  channels_of<1>(op, codes, filter, output);
}

#endif

}  // namespace dsp
}  // namespace tinyml
