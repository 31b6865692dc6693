#pragma once

#include <cstring>

#include "runtime/learners/packed_columns.hpp"

namespace tinyml {

/// A symmetric positive definite matrix P = U D U', U unit upper triangular (Bierman 1977,
/// "Factorization Methods for Discrete Sequential Estimation"), and its updates by one vector.
///
/// In float32 an update of P itself loses its positive definiteness in the end; here it cannot, as
/// D is a product of positive numbers, kept within bounds. As packed: D, then U's columns above the
/// diagonal, one after the other.
template <int kSize>
class UdFactor {
 public:
  static constexpr int kFloats = kSize * (kSize + 1) / 2;

  void load(const float* packed) { std::memcpy(packed_, packed, sizeof(packed_)); }

  /// x becomes U' x; gives x' P x. `packed` is such a matrix, in flash or here.
  static float project(const float* packed, float* x) {
    const float* column = packed + kFloats;
    for (int j = kSize - 1; j > 0; --j) {
      column -= j;
      x[j] += dot(column, x, j);
    }
    float sum = 0.0F;
    for (int j = 0; j < kSize; ++j) sum += packed[j] * x[j] * x[j];
    return sum;
  }
  float project(float* x) const { return project(packed_, x); }

  /// x, which was projected, becomes P x.
  static void expand(const float* packed, float* x) {
    for (int j = 0; j < kSize; ++j) x[j] *= packed[j];
    const float* column = packed + kSize;
    for (int j = 1; j < kSize; ++j) {
      add_scaled(x, column, x[j], j);
      column += j;
    }
  }
  void expand(float* x) const { expand(packed_, x); }

  /// P becomes growth (P - P x x' P / (r + x' P x)), and `gain` P x / (r + x' P x), for the vector
  /// x that was projected to `f`. Elements of D stay within `least` and `most`: what no sample
  /// excites would grow for ever.
  void update(const float* f, float r, float growth, float least, float most, float* gain) {
    float alpha = r;
    float* column = packed_ + kSize;
    for (int j = 0; j < kSize; ++j) {
      float& d = packed_[j];
      const float v = d * f[j];
      const float before = alpha;
      alpha += v * f[j];
      d = d * (before / alpha) * growth;
      d = d < least ? least : (d > most ? most : d);
      rotate(column, gain, -f[j] / before, v, j);
      gain[j] = v;
      column += j;
    }
    const float inverse = 1.0F / alpha;
    for (int j = 0; j < kSize; ++j) gain[j] *= inverse;
  }

 private:
  float packed_[kFloats];
};

}  // namespace tinyml
