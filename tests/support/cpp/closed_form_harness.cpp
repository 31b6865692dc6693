// The factored matrix behind a C interface, for tests/codegen/learners/test_ud_factor.py.

#include "runtime/learners/ud_factor.hpp"

namespace {

constexpr int kSize = 19;  // neither of the loops' steps of 8 and 4 divides every column
using Factor = tinyml::UdFactor<kSize>;

}  // namespace

extern "C" {

int size() { return kSize; }

/// Updates `packed` by `count` rows of `rows`, each with weight 1 and this forgetting factor. Gives
/// the smallest and largest element of D that there ever was; `gain` is the last one.
void update(float* packed, const float* rows, int count, float kept, float least, float most,
            float* extremes, float* gain) {
  Factor factor;
  factor.load(packed);
  extremes[0] = extremes[1] = packed[0];
  for (int i = 0; i < count; ++i) {
    float f[kSize];
    for (int k = 0; k < kSize; ++k) f[k] = rows[i * kSize + k];
    static_cast<void>(factor.project(f));
    factor.update(f, kept, 1.0F / kept, least, most, gain);
    const auto* d = reinterpret_cast<const float*>(&factor);
    for (int k = 0; k < kSize; ++k) {
      if (!(d[k] >= extremes[0])) extremes[0] = d[k];  // a NaN stays
      if (!(d[k] <= extremes[1])) extremes[1] = d[k];
    }
  }
  const auto* end = reinterpret_cast<const float*>(&factor);
  for (int k = 0; k < Factor::kFloats; ++k) packed[k] = end[k];
}

/// x becomes P x; gives x' P x.
float apply(const float* packed, float* x) {
  const float square = Factor::project(packed, x);
  Factor::expand(packed, x);
  return square;
}

}  // extern "C"
