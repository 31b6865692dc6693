#pragma once

namespace tinyml {

// What a head does with the weights of one feature, a row with one weight for each class. On cores
// with an FPU, four weights are loaded and stored by one instruction; gcc 12 takes one for each.
// Every product is rounded before it is added, on every machine: host and board learn the same
// bits.
namespace row_detail {

#if defined(__arm__) && defined(__ARM_FP) && (__ARM_FP & 4)

// s[i] += x * row[i] for four classes. (The copies let arrays of sums become registers.)
inline void add_4(float& sum0, float& sum1, float& sum2, float& sum3, float x, const float* row) {
  // NOLINTNEXTLINE(misc-const-correctness): assembly writes them
  float s0 = sum0, s1 = sum1, s2 = sum2, s3 = sum3;
  asm("vldmia %[row], {s0-s3}\n\t"
      "vmul.f32 s0, %[x], s0\n\t"
      "vmul.f32 s1, %[x], s1\n\t"
      "vmul.f32 s2, %[x], s2\n\t"
      "vmul.f32 s3, %[x], s3\n\t"
      "vadd.f32 %[s0], %[s0], s0\n\t"
      "vadd.f32 %[s1], %[s1], s1\n\t"
      "vadd.f32 %[s2], %[s2], s2\n\t"
      "vadd.f32 %[s3], %[s3], s3"
      : [s0] "+t"(s0), [s1] "+t"(s1), [s2] "+t"(s2), [s3] "+t"(s3)
      : [x] "t"(x), [row] "r"(row), "m"(*reinterpret_cast<const float (*)[4]>(row))
      : "s0", "s1", "s2", "s3");
  sum0 = s0, sum1 = s1, sum2 = s2, sum3 = s3;
}

// row[i] -= x * d[i] for four classes.
// NOLINTNEXTLINE(readability-non-const-parameter): assembly writes the row
inline void subtract_4(float* row, float x, float d0, float d1, float d2, float d3) {
  asm("vldmia %[row], {s0-s3}\n\t"
      "vmul.f32 s4, %[x], %[d0]\n\t"
      "vmul.f32 s5, %[x], %[d1]\n\t"
      "vmul.f32 s6, %[x], %[d2]\n\t"
      "vmul.f32 s7, %[x], %[d3]\n\t"
      "vsub.f32 s0, s0, s4\n\t"
      "vsub.f32 s1, s1, s5\n\t"
      "vsub.f32 s2, s2, s6\n\t"
      "vsub.f32 s3, s3, s7\n\t"
      "vstmia %[row], {s0-s3}"
      : "+m"(*reinterpret_cast<float (*)[4]>(row))
      : [x] "t"(x), [row] "r"(row), [d0] "t"(d0), [d1] "t"(d1), [d2] "t"(d2), [d3] "t"(d3)
      : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7");
}

#else

inline void add_4(float& s0, float& s1, float& s2, float& s3, float x, const float* row) {
  s0 += x * row[0];
  s1 += x * row[1];
  s2 += x * row[2];
  s3 += x * row[3];
}

inline void subtract_4(float* row, float x, float d0, float d1, float d2, float d3) {
  row[0] -= x * d0;
  row[1] -= x * d1;
  row[2] -= x * d2;
  row[3] -= x * d3;
}

#endif

constexpr int kMostUnrolled = 20;  // classes that registers hold

// visit(c) for classes c from kFirst on. Without a loop, arrays of floats become registers.
template <int kClasses, int kFirst, typename Visit>
[[gnu::always_inline]] inline void visit_from(Visit visit) {
  if constexpr (kFirst < kClasses) {
    visit(kFirst);
    visit_from<kClasses, kFirst + 1>(visit);
  }
}

// sums += x * row, from class kFirst on.
template <int kClasses, int kFirst>
[[gnu::always_inline]] inline void add_from(float (&sums)[kClasses], float x, const float* row) {
  if constexpr (kClasses <= kMostUnrolled && kFirst + 4 <= kClasses) {
    add_4(sums[kFirst], sums[kFirst + 1], sums[kFirst + 2], sums[kFirst + 3], x, row + kFirst);
    add_from<kClasses, kFirst + 4>(sums, x, row);
  } else {
#pragma GCC unroll 4
    for (int c = kFirst; c < kClasses; ++c) sums[c] += x * row[c];
  }
}

// row -= x * deltas, from class kFirst on.
template <int kClasses, int kFirst>
[[gnu::always_inline]] inline void subtract_from(float* row, float x,
                                                 const float (&deltas)[kClasses]) {
  if constexpr (kClasses <= kMostUnrolled && kFirst + 4 <= kClasses) {
    subtract_4(row + kFirst, x, deltas[kFirst], deltas[kFirst + 1], deltas[kFirst + 2],
               deltas[kFirst + 3]);
    subtract_from<kClasses, kFirst + 4>(row, x, deltas);
  } else {
#pragma GCC unroll 4
    for (int c = kFirst; c < kClasses; ++c) row[c] -= x * deltas[c];
  }
}

}  // namespace row_detail

// visit(c) for every class c.
template <int kClasses, typename Visit>
[[gnu::always_inline]] inline void for_each_class(Visit visit) {
  if constexpr (kClasses <= row_detail::kMostUnrolled) {
    row_detail::visit_from<kClasses, 0>(visit);
  } else {
    for (int c = 0; c < kClasses; ++c) visit(c);
  }
}

// sums += x * row
template <int kClasses>
[[gnu::always_inline]] inline void add_product(float (&sums)[kClasses], float x, const float* row) {
  row_detail::add_from<kClasses, 0>(sums, x, row);
}

// row -= x * deltas
template <int kClasses>
[[gnu::always_inline]] inline void subtract_product(float* row, float x,
                                                    const float (&deltas)[kClasses]) {
  row_detail::subtract_from<kClasses, 0>(row, x, deltas);
}

}  // namespace tinyml
