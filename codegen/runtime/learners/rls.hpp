#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/closed_form.hpp"
#include "runtime/learners/row.hpp"
#include "runtime/learners/ud_factor.hpp"

namespace tinyml {

/// Recursive least squares: the ridge regression on one-hot labels of all samples so far, each
/// forgotten by and by (Haykin, "Adaptive Filter Theory", chapter 10), exact after every sample and
/// whatever their order. P is the inverse of the features' weighted second moment.
///
/// With `Config::kClassWeights` a sample weighs as much as its class is rare among the samples in
/// memory. Knob 0 is that memory N, in samples: the forgetting factor is 1 - 1/N. Knob 1 is how
/// many samples the factory's moment counts as: P and all counts are in units of that prior.
template <typename Config, typename Factory>
class Rls {
  static_assert(Config::kKnobs >= 2, "memory and prior");

 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];

  static constexpr int kInputs = Config::kFeatures + 1;  // the last is 1, for the bias
  static constexpr float kLeastVariance = 1e-9F;
  static constexpr float kMostClassWeight = 10.0F;

  struct State {
    Head<Config::kFeatures, Config::kClasses> head;
    float counts[Config::kClasses];  ///< Samples of each class in memory, over those of the prior.
    UdFactor<kInputs> inverse;
  };
  static constexpr std::size_t kStateBytes = sizeof(State);

  template <typename>
  void reset() {
    state_.head.load(Factory::weights(), Factory::bias());
    state_.inverse.load(Factory::inverse());
    for (int c = 0; c < Config::kClasses; ++c) {
      state_.counts[c] = c < Config::kFactoryClasses ? 1.0F : 0.0F;
    }
    knobs_.reset();
  }

  void logits(const Feature* features, Logits& out) const {
    state_.head.logits(centred<Config>(features), Config::kFeatureScale, out);
  }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!state_.head.within_limits()) return LearnStatus::kWrongHead;
    to_units<Config, Factory>(features, input_);
    input_[Config::kFeatures] = 1.0F;
    const float spread = state_.inverse.project(input_);
    if (!(spread >= 0.0F && spread <= kMostSpread)) return LearnStatus::kWrongHead;

    const float kept = 1.0F - 1.0F / knobs_[0];
    // A class of which no sample came has weights of zero, as the regression would give it.
    if (state_.head.unseen(label)) state_.head.bias(label) = 0.0F;
    Logits deltas;
    logits(features, deltas);
    for (int c = 0; c < Config::kClasses; ++c) {
      if (state_.head.unseen(c)) deltas[c] = 0.0F;
    }
    deltas[label] -= 1.0F;
    const float r = kept * knobs_[1] / count(label, kept);
    state_.inverse.update(input_, r, 1.0F / kept, kLeastVariance, *Factory::most_variance(), gain_);
    const float unit = *Factory::unit();
    float bias_gain = gain_[Config::kFeatures];
    for (int i = 0; i < Config::kFeatures; ++i) {
      const float gain = gain_[i] * unit;
      bias_gain -= gain * Factory::mean()[i];
      subtract_product<Config::kClasses>(state_.head.row(i), gain, deltas);
    }
    for (int c = 0; c < Config::kClasses; ++c) state_.head.bias(c) -= bias_gain * deltas[c];
    return LearnStatus::kLearned;
  }

  /// Takes a class as new: no sample of it came.
  void forget(std::uint8_t label) {
    for (int i = 0; i < Config::kFeatures; ++i) state_.head.weight(i, label) = 0.0F;
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
  /// Counts a sample; its weight.
  float count(std::uint8_t label, float kept) {
    float all = 0.0F;
    float classes = 0.0F;
    for (int c = 0; c < Config::kClasses; ++c) {
      state_.counts[c] = state_.counts[c] * kept + (c == label ? 1.0F / knobs_[1] : 0.0F);
      all += state_.counts[c];
      if (!state_.head.unseen(c)) classes += 1.0F;
    }
    if (!Config::kClassWeights) return 1.0F;
    const float weight = all / (classes * state_.counts[label]);
    return weight < kMostClassWeight ? weight : kMostClassWeight;
  }

  State state_;
  Knobs<Config> knobs_;
  float input_[kInputs];
  float gain_[kInputs];
};

}  // namespace tinyml
