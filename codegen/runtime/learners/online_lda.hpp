#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/closed_form.hpp"
#include "runtime/learners/row.hpp"
#include "runtime/learners/ud_factor.hpp"

namespace tinyml {

/// Streaming linear discriminant analysis (Hayes and Kanan 2020; Embedded-CL, arXiv 2203.10681):
/// class means and the covariance within classes, both learnt on the device and both forgetting.
///
/// The covariance S becomes (1 - a) S + a d d', d a sample's distance from its class's mean; kept
/// is its inverse P. The head is W = P M, biases -m' P m / 2 (of features less their mean): what a
/// sample does to it follows from what it does to P, and one class after another is computed again,
/// so that no rounding adds up.
///
/// Knob 0 is the memory of the means, in samples of a class; knob 1 that of the covariance, 1 / a.
template <typename Config, typename Factory>
class OnlineLda {
  static_assert(Config::kKnobs >= 2, "two memories");

 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];

  static constexpr int kFeatures = Config::kFeatures;
  static constexpr int kClasses = Config::kClasses;
  static constexpr float kLeastVariance = 1e-9F;

  struct State {
    Head<kFeatures, kClasses> head;
    float counts[kClasses];
    float latest;                      ///< The class whose column was computed again last.
    float means[kClasses][kFeatures];  ///< In units.
    UdFactor<kFeatures> precision;
  };
  static constexpr std::size_t kStateBytes = sizeof(State);

  template <typename>
  void reset() {
    state_.head.load(Factory::weights(), Factory::bias());
    state_.precision.load(Factory::precision());
    const float* const means = Factory::means();
    for (int c = 0; c < kClasses; ++c) {
      const bool known = c < Config::kFactoryClasses;
      state_.counts[c] = known ? Config::kPriorSamples : 0.0F;
      for (int i = 0; i < kFeatures; ++i) {
        state_.means[c][i] = known ? means[c * kFeatures + i] : 0.0F;
      }
    }
    state_.latest = 0.0F;
    knobs_.reset();
  }

  void logits(const Feature* features, Logits& out) const {
    state_.head.logits(centred<Config>(features), Config::kFeatureScale, out);
  }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!state_.head.within_limits()) return LearnStatus::kWrongHead;
    to_units<Config, Factory>(features, step_);
    float* const mean = state_.means[label];
    const bool is_first = state_.counts[label] <= 0.0F;
    if (!is_first) {
      for (int i = 0; i < kFeatures; ++i) step_[i] -= mean[i];
    }
    const float rate = is_first ? 1.0F : mean_rate(state_.counts[label], knobs_[0]);
    float along[kClasses];  // W' d
    multiply(along);
    for (int i = 0; i < kFeatures; ++i) gain_[i] = step_[i];
    const float spread = state_.precision.project(gain_);
    if (!(spread >= 0.0F && spread <= kMostSpread)) return LearnStatus::kWrongHead;

    if (is_first) {  // its mean is this sample; of the covariance it says nothing
      for (int i = 0; i < kFeatures; ++i) mean[i] = step_[i];
      compute(label);
    } else {
      for (int i = 0; i < kFeatures; ++i) mean[i] += rate * step_[i];
      move(label, rate, along);
    }
    state_.counts[label] += 1.0F;
    const int last = static_cast<int>(state_.latest);
    const int next = last >= 0 && last + 1 < kClasses ? last + 1 : 0;
    if (state_.counts[next] > 0.0F) compute(next);
    state_.latest = static_cast<float>(next);
    for (int c = 0; c < kClasses; ++c) {
      if (state_.counts[c] > 0.0F) state_.head.bias(c) = bias(c);
    }
    return LearnStatus::kLearned;
  }

  /// Takes a class as new: no sample of it came.
  void forget(std::uint8_t label) {
    state_.head.bias(label) = state_.head.kUnseen;
    state_.counts[label] = 0.0F;
  }

  static bool takes(const Feature* features) { return takes_units<Config, Factory>(features); }

  int buffer_count() const { return 0; }
  float knob(int i) const { return knobs_[i]; }
  bool set_knob(int i, float value) { return knobs_.set(i, value); }
  void* state() { return &state_; }
  const void* state() const { return &state_; }
  bool state_within_limits() const {
    return all_within(reinterpret_cast<const float*>(&state_),
                      static_cast<int>(kStateBytes / sizeof(float)), kMostWeight);
  }

 private:
  /// out = W' d / unit: the inner products of the step with the columns, in units.
  void multiply(float (&out)[kClasses]) const {
    const float* const step = step_;
    state_.head.products([step](int i) { return step[i]; }, 1.0F / *Factory::unit(), out);
  }

  /// The sample's part of the covariance, and what it does to the head; `gain_` is U' d.
  void move(std::uint8_t label, float rate, const float (&along)[kClasses]) {
    const float share = 1.0F / knobs_[1];
    const float kept = 1.0F - share;
    // d was taken from the mean before it moved.
    const float r = kept / (share * (1.0F - rate));
    state_.precision.update(gain_, r, 1.0F / kept, kLeastVariance, *Factory::most_variance(),
                            step_);  // the gain
    // P' m = (P m - gain d' P m) / kept, and P' d = gain r / kept.
    const float growth = 1.0F / kept;
    float factors[kClasses];
    for (int c = 0; c < kClasses; ++c) {
      factors[c] = state_.counts[c] > 0.0F ? along[c] * growth : 0.0F;
    }
    factors[label] -= rate * r * growth;
    const float unit = *Factory::unit();
    for (int i = 0; i < kFeatures; ++i) {
      float* const row = state_.head.row(i);
      for (int c = 0; c < kClasses; ++c) row[c] *= growth;
      subtract_product<kClasses>(row, step_[i] * unit, factors);
    }
  }

  /// A column of the head from P and the mean.
  void compute(int c) {
    for (int i = 0; i < kFeatures; ++i) gain_[i] = state_.means[c][i];
    state_.precision.project(gain_);
    state_.precision.expand(gain_);
    const float unit = *Factory::unit();
    for (int i = 0; i < kFeatures; ++i) state_.head.weight(i, c) = unit * gain_[i];
  }

  /// -m' P m / 2, less what the features' mean adds.
  float bias(int c) const {
    const float half = 0.5F / *Factory::unit();
    const float* const mean = Factory::mean();
    float sum = 0.0F;
    for (int i = 0; i < kFeatures; ++i) {
      sum += state_.head.weight(i, c) * (half * state_.means[c][i] + mean[i]);
    }
    return -sum;
  }

  State state_;
  Knobs<Config> knobs_;
  float step_[kFeatures];
  float gain_[kFeatures];
};

}  // namespace tinyml
