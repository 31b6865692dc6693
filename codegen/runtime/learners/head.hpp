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
    for_each_class<kClasses>([&sums](int c) { sums[c] = 0.0F; });
    for (int i = 0; i < kFeatures; ++i) add_product(sums, feature(i), weights_[i]);
    for_each_class<kClasses>([&](int c) { out[c] = bias_[c] + scale * sums[c]; });
  }

  /// One step of plain stochastic gradient descent on one sample.
  template <Loss kLoss, typename FeatureAt>
  void step(FeatureAt feature, float scale, std::uint8_t label, float learning_rate) {
    float deltas[kClasses];
    logits(feature, scale, deltas);
    softmax(deltas);
    logit_gradient<kLoss>(deltas, label);
    for (float& delta : deltas) delta *= learning_rate;
    for (int c = 0; c < kClasses; ++c) bias_[c] -= deltas[c];
    float factors[kClasses];
    for_each_class<kClasses>([&](int c) { factors[c] = deltas[c] * scale; });
    for (int i = 0; i < kFeatures; ++i) subtract_product(weights_[i], feature(i), factors);
  }

  /// Whether every weight and bias lies within `kMostWeight`.
  bool within_limits() const {
    static_assert(sizeof(*this) == sizeof(float) * (kFeatures + 1) * kClasses, "floats only");
    return all_within(reinterpret_cast<const float*>(this), (kFeatures + 1) * kClasses,
                      kMostWeight);
  }

 private:
  float weights_[kFeatures][kClasses];
  float bias_[kClasses];
};

}  // namespace tinyml
