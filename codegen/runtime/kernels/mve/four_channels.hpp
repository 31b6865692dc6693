// Four output channels of a run of pixels: dot products of their weights with windows of codes that
// lie `step` bytes apart. A pixel's four sums are the lanes of one vector, and so are the channels'
// bias, multiplier and shift, which are prepared once for the run.
//
// Pixel loops are assembly: gcc 12 moves predicates and addresses through the stack. It has no name
// for the predicate, which a call may change: these functions are called.
#pragma once

#include <arm_mve.h>

#include <cstdint>

#include "runtime/kernels/params.hpp"

// Addresses and sums take every general register; without optimisation too.
#define TINYML_ALL_REGISTERS [[gnu::optimize("O2", "omit-frame-pointer")]]

namespace tinyml {
namespace mve {

// What a loop reads. The assembly knows the offsets.
struct FourChannels {
  std::int32_t bias[4];         // 0
  std::int32_t multipliers[4];  // 16
  std::int32_t summands[4];     // 32: as Rescaling has them
  std::int32_t up[4];           // 48: shifts to the left
  std::int32_t filter;          // 64: weights of a channel
  std::int32_t vectors_bytes;   // 68: up to the end of their last vector of 16
  std::int32_t channels;        // 72: from one pixel's output to the next one's

  void scale(const Requantization& to, std::int32_t channel) {
    const std::int32_t* scales = to.scales + 2 * channel;
    const auto eights = vidupq_n_u32(0, 8);
    const int32x4_t down = vldrbq_s32(to.shifts + channel);
    const int32x4_t twice = vshlq_s32(vdupq_n_s32(2 * to.output_zero_point + 1), down);
    vst1q_s32(bias, vldrwq_gather_offset_s32(scales, eights));
    vst1q_s32(multipliers, vldrwq_gather_offset_s32(scales + 1, eights));
    vst1q_s32(summands, vshrq_n_s32(twice, 1));
    vst1q_s32(up, vsubq_s32(vdupq_n_s32(24), down));
  }
};

// The run of pixels; of `weights`, the four channels' first.
struct Run {
  const std::int8_t* codes;
  std::int32_t step;
  std::int32_t pixels;
  const std::int8_t* weights;
  std::int8_t* output;
};

// The weights of four channels.
struct Rows {
  const std::int8_t* row0;
  const std::int8_t* row1;
  const std::int8_t* row2;
  const std::int8_t* row3;

  Rows(const std::int8_t* weights, std::int32_t filter)
      : row0(weights), row1(row0 + filter), row2(row1 + filter), row3(row2 + filter) {}
};

// clang-format off
// The sums in r0, r2, r4 and r6 become the lanes of `x`.
#define TINYML_LANES(x)                             \
  "vmov " x "[2], " x "[0], r0, r4\n\t"             \
  "vmov " x "[3], " x "[1], r2, r6\n\t"

// One vector of codes, in `x`, and the vectors at `offset` of four channels' weights.
#define TINYML_ROW(multiply, sum, x, row, offset)   \
  "vldrb.8 q1, [%[" row "], #" offset "]\n\t"       \
  multiply ".s8 " sum ", " x ", q1\n\t"

#define TINYML_MORE_ROWS(offset)                    \
  "vldrb.8 q0, [%[codes], #" offset "]\n\t"         \
  TINYML_ROW("vmladava", "r0", "q0", "row0", offset) \
  TINYML_ROW("vmladava", "r2", "q0", "row1", offset) \
  TINYML_ROW("vmladava", "r4", "q0", "row2", offset) \
  TINYML_ROW("vmladava", "r6", "q0", "row3", offset)

// The same where only the predicate's lanes are weights.
#define TINYML_LAST_ROWS(offset)                    \
  "vldrb.8 q0, [%[codes], #" offset "]\n\t"         \
  "vpstttt\n\t"                                     \
  "vldrbt.8 q1, [%[row0], #" offset "]\n\t"         \
  "vmladavat.s8 r0, q0, q1\n\t"                     \
  "vldrbt.8 q1, [%[row1], #" offset "]\n\t"         \
  "vmladavat.s8 r2, q0, q1\n\t"                     \
  "vpstttt\n\t"                                     \
  "vldrbt.8 q1, [%[row2], #" offset "]\n\t"         \
  "vmladavat.s8 r4, q0, q1\n\t"                     \
  "vldrbt.8 q1, [%[row3], #" offset "]\n\t"         \
  "vmladavat.s8 r6, q0, q1\n\t"

// Two to four vectors of weights, of which two stay in registers.
#define TINYML_VECTORS(more)                        \
  "vldrw.32 q2, [%[four]]\n\t"                      \
  "vldrw.32 q3, [%[four], #16]\n\t"                 \
  "vldrw.32 q4, [%[four], #32]\n\t"                 \
  "vldrw.32 q5, [%[four], #48]\n\t"                 \
  "vldrb.8 q6, [%[row0]]\n\t"                       \
  "vldrb.8 q7, [%[row1]]\n\t"                       \
  "vctp.8 %[last]\n\t"                              \
  "dls lr, %[pixels]\n"                             \
  "1:\n\t"                                          \
  "vldrb.8 q0, [%[codes]]\n\t"                      \
  "vmladav.s8 r0, q0, q6\n\t"                       \
  "vmladav.s8 r2, q0, q7\n\t"                       \
  TINYML_ROW("vmladav", "r4", "q0", "row2", "0")    \
  TINYML_ROW("vmladav", "r6", "q0", "row3", "0")    \
  more                                              \
  "add %[codes], %[codes], %[step]\n\t"             \
  TINYML_LANES("q0")                                \
  "vadd.i32 q0, q0, q2\n\t"                         \
  "vqrdmulh.s32 q1, q0, q3\n\t"                     \
  "vshr.s32 q0, q0, #31\n\t"                        \
  "vadd.i32 q0, q0, q1\n\t"                         \
  "vadd.i32 q0, q0, q4\n\t"                         \
  "vqshl.s32 q0, q0, q5\n\t"                        \
  "vshr.s32 q0, q0, #24\n\t"                        \
  "vstrb.32 q0, [%[output]]\n\t"                    \
  "add %[output], %[output], %[channels]\n\t"       \
  "le lr, 1b\n\t"

#define TINYML_OPERANDS                                                                           \
  : [codes] "+r"(codes), [output] "+l"(output), [last] "+r"(last), [four] "+r"(constants),        \
    [pixels] "+r"(pixels)                                                                         \
  : [row0] "r"(rows.row0), [row1] "r"(rows.row1), [row2] "r"(rows.row2), [row3] "r"(rows.row3),   \
    [step] "r"(run.step), [channels] "r"(four.channels)                                           \
  : "r4", "r6", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory"
// clang-format on

// At most 16 weights, which stay in registers. Of the codes nothing else is read.
TINYML_ALL_REGISTERS TINYML_KERNEL void pixels_of_one_vector(const FourChannels& four,
                                                             const Run& run) {
  const std::int8_t* codes = run.codes;
  const std::int8_t* row = run.weights;
  std::int8_t* output = run.output;
  register std::int32_t pixels asm("lr") = run.pixels;
  asm volatile(
      "vctp.8 %[filter]\n\t"
      "vpst\n\t"
      "vldrbt.8 q0, [%[row]]\n\t"
      "add %[row], %[row], %[filter]\n\t"
      "vpst\n\t"
      "vldrbt.8 q1, [%[row]]\n\t"
      "add %[row], %[row], %[filter]\n\t"
      "vpst\n\t"
      "vldrbt.8 q2, [%[row]]\n\t"
      "add %[row], %[row], %[filter]\n\t"
      "vpst\n\t"
      "vldrbt.8 q3, [%[row]]\n\t"
      "vldrw.32 q4, [%[four]]\n\t"
      "vldrw.32 q5, [%[four], #16]\n\t"
      "dls lr, %[pixels]\n"
      "1:\n\t"
      "vpst\n\t"
      "vldrbt.8 q6, [%[codes]]\n\t"
      "vmladav.s8 r0, q6, q0\n\t"
      "vmladav.s8 r2, q6, q1\n\t"
      "vmladav.s8 r4, q6, q2\n\t"
      "vmladav.s8 r6, q6, q3\n\t"
      "add %[codes], %[codes], %[step]\n\t"  //
      TINYML_LANES("q6")
      "vadd.i32 q6, q6, q4\n\t"
      "vqrdmulh.s32 q7, q6, q5\n\t"
      "vshr.s32 q6, q6, #31\n\t"
      "vadd.i32 q6, q6, q7\n\t"
      "vldrw.32 q7, [%[four], #32]\n\t"
      "vadd.i32 q6, q6, q7\n\t"
      "vldrw.32 q7, [%[four], #48]\n\t"
      "vqshl.s32 q6, q6, q7\n\t"
      "vshr.s32 q6, q6, #24\n\t"
      "vstrb.32 q6, [%[output]]\n\t"
      "add %[output], %[output], %[channels]\n\t"
      "le lr, 1b\n\t"
      : [codes] "+r"(codes), [output] "+l"(output), [row] "+r"(row), [pixels] "+r"(pixels)
      : [four] "r"(&four), [filter] "r"(four.filter), [step] "r"(run.step),
        [channels] "r"(four.channels)
      : "r0", "r2", "r4", "r6", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc",
        "memory");
}

// 17 to 32, or exactly 64 weights. Codes are readable up to the last vector's end.
template <int Vectors, bool Whole>
TINYML_ALL_REGISTERS TINYML_KERNEL void pixels_of_vectors(const FourChannels& four,
                                                          const Run& run) {
  const std::int8_t* codes = run.codes;
  const Rows rows(run.weights, four.filter);
  std::int8_t* output = run.output;
  // Sums take these registers as soon as the loop begins.
  register std::int32_t last asm("r0") = four.filter - 16 * (Vectors - 1);
  register const FourChannels* constants asm("r2") = &four;
  register std::int32_t pixels asm("lr") = run.pixels;
  if constexpr (Vectors == 4) {
    static_assert(Whole);
    asm volatile(TINYML_VECTORS(TINYML_MORE_ROWS("16") TINYML_MORE_ROWS("32")
                                    TINYML_MORE_ROWS("48")) TINYML_OPERANDS);
  } else if constexpr (Whole) {
    asm volatile(TINYML_VECTORS(TINYML_MORE_ROWS("16")) TINYML_OPERANDS);
  } else {
    asm volatile(TINYML_VECTORS(TINYML_LAST_ROWS("16")) TINYML_OPERANDS);
  }
}

// Any number of weights. Windows follow each other in whole vectors.
TINYML_ALL_REGISTERS TINYML_KERNEL void pixels_of_any(const FourChannels& four, const Run& run) {
  const std::int8_t* codes = run.codes;
  Rows rows(run.weights, four.filter);
  std::int8_t* output = run.output;
  std::int32_t pixels = run.pixels;
  asm volatile(
      "vldrw.32 q4, [%[four], #16]\n\t"
      "vldrw.32 q5, [%[four], #32]\n\t"
      "vldrw.32 q6, [%[four], #48]\n"
      "1:\n\t"
      "ldr r0, [%[four], #64]\n\t"
      "dlstp.8 lr, r0\n\t"
      "ldmia %[four], {r0, r2, r4, r6}\n"
      "2:\n\t"
      "vldrb.8 q0, [%[codes]], #16\n\t"
      "vldrb.8 q1, [%[row0]], #16\n\t"
      "vmladava.s8 r0, q0, q1\n\t"
      "vldrb.8 q2, [%[row1]], #16\n\t"
      "vmladava.s8 r2, q0, q2\n\t"
      "vldrb.8 q1, [%[row2]], #16\n\t"
      "vmladava.s8 r4, q0, q1\n\t"
      "vldrb.8 q2, [%[row3]], #16\n\t"
      "vmladava.s8 r6, q0, q2\n\t"
      "letp lr, 2b\n\t"  //
      TINYML_LANES("q0")
      "ldrd r0, r2, [%[four], #68]\n\t"
      "vqrdmulh.s32 q1, q0, q4\n\t"
      "vshr.s32 q0, q0, #31\n\t"
      "sub %[row0], %[row0], r0\n\t"
      "vadd.i32 q0, q0, q1\n\t"
      "sub %[row1], %[row1], r0\n\t"
      "vadd.i32 q0, q0, q5\n\t"
      "sub %[row2], %[row2], r0\n\t"
      "vqshl.s32 q0, q0, q6\n\t"
      "sub %[row3], %[row3], r0\n\t"
      "vshr.s32 q0, q0, #24\n\t"
      "vstrb.32 q0, [%[output]]\n\t"
      "add %[output], %[output], r2\n\t"
      "subs %[pixels], %[pixels], #1\n\t"
      "bne 1b\n\t"
      : [codes] "+r"(codes), [row0] "+r"(rows.row0), [row1] "+r"(rows.row1), [row2] "+r"(rows.row2),
        [row3] "+r"(rows.row3), [output] "+l"(output), [pixels] "+r"(pixels)
      : [four] "r"(&four)
      : "r0", "r2", "r4", "r6", "lr", "q0", "q1", "q2", "q4", "q5", "q6", "cc", "memory");
}

#undef TINYML_LANES
#undef TINYML_ROW
#undef TINYML_MORE_ROWS
#undef TINYML_LAST_ROWS
#undef TINYML_VECTORS
#undef TINYML_OPERANDS
#undef TINYML_ALL_REGISTERS

}  // namespace mve
}  // namespace tinyml
