#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/learners/limits.hpp"
#include "runtime/learners/row.hpp"
#include "runtime/learners/softmax.hpp"

namespace tinyml {

/// The trainable classifier: one dense layer in float32, logits = bias + x W.
///
/// W is stored (kFeatures, kClasses): one feature is turned into a float once and meets all its
/// weights, which lie side by side, so no row of dequantized features is ever stored. Training
/// changes W in place; what a step needs beside it is one float for each class.
template <int kFeatures, int kClasses>
class Head {
  static_assert(kFeatures > 0 && kClasses > 1 && kClasses <= 256, "labels are one byte");

 public:
  /// Copies `weights` (kFeatures, kClasses) and `bias` (kClasses).
  void load(const float* weights, const float* bias) {
    std::memcpy(weights_, weights, sizeof(weights_));
    std::memcpy(bias_, bias, sizeof(bias_));
  }

  /// The bias of a class that no sample was ever of: it is never predicted, its softmax is 0, and
  /// so is its gradient.
  static constexpr float kUnseen = -kMostWeight;

  bool unseen(int c) const { return bias_[c] == kUnseen; }

  /// Takes on a class: weights of zero, and the mean bias of the others.
  void open(int c) {
    float sum = 0.0F;
    int seen = 0;
    for (int other = 0; other < kClasses; ++other) {
      if (unseen(other)) continue;
      sum += bias_[other];
      ++seen;
    }
    bias_[c] = seen > 0 ? sum / static_cast<float>(seen) : 0.0F;
  }

  /// Logits of one sample. `feature(i)` gives the i-th feature in units of `scale`.
  template <typename FeatureAt>
  void logits(FeatureAt feature, float scale, float (&out)[kClasses]) const {
    float sums[kClasses];
    sum_products(feature, sums);
    for_each_class<kClasses>([&](int c) { out[c] = bias_[c] + scale * sums[c]; });
  }

  /// The same without biases.
  template <typename FeatureAt>
  void products(FeatureAt feature, float scale, float (&out)[kClasses]) const {
    float sums[kClasses];
    sum_products(feature, sums);
    for_each_class<kClasses>([&](int c) { out[c] = scale * sums[c]; });
  }

  /// One step of stochastic gradient descent on one sample; of weights and biases at their own
  /// rates.
  template <Loss kLoss, typename FeatureAt>
  void step(FeatureAt feature, float scale, std::uint8_t label, float rate, float bias_rate) {
    float deltas[kClasses];
    logits(feature, scale, deltas);
    softmax(deltas);
    logit_gradient<kLoss>(deltas, label);
    for (int c = 0; c < kClasses; ++c) bias_[c] -= deltas[c] * bias_rate;
    float factors[kClasses];
    for_each_class<kClasses>([&](int c) { factors[c] = deltas[c] * rate * scale; });
    for (int i = 0; i < kFeatures; ++i) subtract_product(weights_[i], feature(i), factors);
  }

  float& weight(int feature, int c) { return weights_[feature][c]; }
  float weight(int feature, int c) const { return weights_[feature][c]; }
  float* row(int feature) { return weights_[feature]; }
  float& bias(int c) { return bias_[c]; }
  float bias(int c) const { return bias_[c]; }

  /// Whether every weight and bias lies within `kMostWeight`.
  bool within_limits() const {
    static_assert(sizeof(*this) == sizeof(float) * (kFeatures + 1) * kClasses, "floats only");
    return all_within(reinterpret_cast<const float*>(this), (kFeatures + 1) * kClasses,
                      kMostWeight);
  }

 private:
  template <typename FeatureAt>
  [[gnu::always_inline]] inline void sum_products(FeatureAt feature,
                                                  float (&sums)[kClasses]) const {
    for_each_class<kClasses>([&sums](int c) { sums[c] = 0.0F; });
    for (int i = 0; i < kFeatures; ++i) add_product(sums, feature(i), weights_[i]);
  }

  float weights_[kFeatures][kClasses];
  float bias_[kClasses];
};

}  // namespace tinyml
