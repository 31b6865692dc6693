#pragma once

namespace tinyml {

// Inner loops over a column of a packed triangle. On cores with an FPU four floats are loaded and
// stored by one instruction. Products are rounded before they are added and sums are taken in one
// order, on every machine: host and board learn the same bits.
namespace columns_detail {

#if defined(__arm__) && defined(__ARM_FP) && (__ARM_FP & 4)

// s[k] += a[k] * b[k]; both pointers move on.
inline void dot_4(float& sum0, float& sum1, float& sum2, float& sum3, const float*& a,
                  const float*& b) {
  // NOLINTNEXTLINE(misc-const-correctness): assembly writes them
  float s0 = sum0, s1 = sum1, s2 = sum2, s3 = sum3;
  asm volatile(
      "vldmia %[a]!, {s0-s3}\n\t"
      "vldmia %[b]!, {s4-s7}\n\t"
      "vmul.f32 s0, s0, s4\n\t"
      "vmul.f32 s1, s1, s5\n\t"
      "vmul.f32 s2, s2, s6\n\t"
      "vmul.f32 s3, s3, s7\n\t"
      "vadd.f32 %[s0], %[s0], s0\n\t"
      "vadd.f32 %[s1], %[s1], s1\n\t"
      "vadd.f32 %[s2], %[s2], s2\n\t"
      "vadd.f32 %[s3], %[s3], s3"
      : [s0] "+t"(s0), [s1] "+t"(s1), [s2] "+t"(s2), [s3] "+t"(s3), [a] "+r"(a), [b] "+r"(b)
      :
      : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "memory");
  sum0 = s0, sum1 = s1, sum2 = s2, sum3 = s3;
}

// x[k] += factor * a[k]; both pointers move on.
inline void add_4(float*& x, const float*& a, float factor) {
  asm volatile(
      "vldmia %[a]!, {s4-s7}\n\t"
      "vldmia %[x], {s0-s3}\n\t"
      "vmul.f32 s4, %[factor], s4\n\t"
      "vmul.f32 s5, %[factor], s5\n\t"
      "vmul.f32 s6, %[factor], s6\n\t"
      "vmul.f32 s7, %[factor], s7\n\t"
      "vadd.f32 s0, s0, s4\n\t"
      "vadd.f32 s1, s1, s5\n\t"
      "vadd.f32 s2, s2, s6\n\t"
      "vadd.f32 s3, s3, s7\n\t"
      "vstmia %[x]!, {s0-s3}"
      : [x] "+r"(x), [a] "+r"(a)
      : [factor] "t"(factor)
      : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "memory");
}

// u[k], g[k] become u[k] + p g[k], g[k] + v u[k]; both pointers move on.
inline void rotate_4(float*& u, float*& g, float p, float v) {
  asm volatile(
      "vldmia %[u], {s0-s3}\n\t"
      "vldmia %[g], {s4-s7}\n\t"
      "vmul.f32 s8, %[p], s4\n\t"
      "vmul.f32 s9, %[p], s5\n\t"
      "vmul.f32 s10, %[p], s6\n\t"
      "vmul.f32 s11, %[p], s7\n\t"
      "vmul.f32 s12, %[v], s0\n\t"
      "vmul.f32 s13, %[v], s1\n\t"
      "vmul.f32 s14, %[v], s2\n\t"
      "vmul.f32 s15, %[v], s3\n\t"
      "vadd.f32 s8, s0, s8\n\t"
      "vadd.f32 s9, s1, s9\n\t"
      "vadd.f32 s10, s2, s10\n\t"
      "vadd.f32 s11, s3, s11\n\t"
      "vadd.f32 s12, s4, s12\n\t"
      "vadd.f32 s13, s5, s13\n\t"
      "vadd.f32 s14, s6, s14\n\t"
      "vadd.f32 s15, s7, s15\n\t"
      "vstmia %[u]!, {s8-s11}\n\t"
      "vstmia %[g]!, {s12-s15}"
      : [u] "+r"(u), [g] "+r"(g)
      : [p] "t"(p), [v] "t"(v)
      : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13",
        "s14", "s15", "memory");
}

#else

inline void dot_4(float& s0, float& s1, float& s2, float& s3, const float*& a, const float*& b) {
  s0 += a[0] * b[0];
  s1 += a[1] * b[1];
  s2 += a[2] * b[2];
  s3 += a[3] * b[3];
  a += 4;
  b += 4;
}

inline void add_4(float*& x, const float*& a, float factor) {
  for (int k = 0; k < 4; ++k) x[k] += factor * a[k];
  x += 4;
  a += 4;
}

inline void rotate_4(float*& u, float*& g, float p, float v) {
  for (int k = 0; k < 4; ++k) {
    const float old = u[k];
    u[k] = old + p * g[k];
    g[k] = g[k] + v * old;
  }
  u += 4;
  g += 4;
}

#endif

}  // namespace columns_detail

/// The inner product of `count` floats.
inline float dot(const float* a, const float* b, int count) {
  float s0 = 0.0F;
  float s1 = 0.0F;
  float s2 = 0.0F;
  float s3 = 0.0F;
  int rest = count;
  for (; rest >= 8; rest -= 8) {
    columns_detail::dot_4(s0, s1, s2, s3, a, b);
    columns_detail::dot_4(s0, s1, s2, s3, a, b);
  }
  if (rest >= 4) {
    columns_detail::dot_4(s0, s1, s2, s3, a, b);
    rest -= 4;
  }
  for (int i = 0; i < rest; ++i) s0 += a[i] * b[i];
  return (s0 + s1) + (s2 + s3);
}

/// x += factor * a, element by element of `count`.
inline void add_scaled(float* x, const float* a, float factor, int count) {
  int rest = count;
  for (; rest >= 8; rest -= 8) {
    columns_detail::add_4(x, a, factor);
    columns_detail::add_4(x, a, factor);
  }
  if (rest >= 4) {
    columns_detail::add_4(x, a, factor);
    rest -= 4;
  }
  for (int i = 0; i < rest; ++i) x[i] += factor * a[i];
}

/// u and g become u + p g and g + v u, element by element of `count`.
inline void rotate(float* u, float* g, float p, float v, int count) {
  int rest = count;
  for (; rest >= 8; rest -= 8) {
    columns_detail::rotate_4(u, g, p, v);
    columns_detail::rotate_4(u, g, p, v);
  }
  if (rest >= 4) {
    columns_detail::rotate_4(u, g, p, v);
    rest -= 4;
  }
  for (int i = 0; i < rest; ++i) {
    const float old = u[i];
    u[i] = old + p * g[i];
    g[i] = g[i] + v * old;
  }
}

}  // namespace tinyml
