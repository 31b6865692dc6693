#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/replay.hpp"

namespace tinyml {

/// TyBox in which classes that join start as their mean (weight imprinting: Qi, Brown and Lowe
/// 2018), and are then replayed as all others are.
///
/// While a class that the factory did not know has at most `Config::kImprintSamples` samples, its
/// column is set again from those in the buffer: in the direction in which their mean lies from
/// that of the others, as long as the columns of the others are on average (where all are blank, so
/// that the two means' logits lie kMargin apart), and with a bias that puts it as far above the
/// largest other logit at its own mean as it falls on half of the way to the others.
template <typename Config, typename Buffer>
class ImprintReplay {
  static_assert(Config::kKnobs >= 1, "the learning rate");

 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];

  struct State {
    Head<Config::kFeatures, Config::kClasses> head;
    float counts[Config::kClasses];  ///< Samples of each class that is new, less those of
                                     ///< `imprinted`.
  };
  static constexpr std::size_t kStateBytes = sizeof(State);

  template <typename Factory>
  void reset() {
    state_.head.load(Factory::weights(), Factory::bias());
    for (float& count : state_.counts) count = 0.0F;
    buffer_.clear();
    replay_.reset();
    knobs_.reset();
  }

  void logits(const Feature* features, Logits& out) const {
    state_.head.logits(centred<Config>(features), Config::kFeatureScale, out);
  }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!state_within_limits()) return LearnStatus::kWrongHead;
    replay_.measure(features);
    buffer_.push(features, label);
    if (state_.counts[label] < imprinted(label)) {
      state_.counts[label] += 1.0F;
      imprint(features, label);
    }
    replay_.run(state_.head, buffer_, features, label, knobs_[0]);
    return LearnStatus::kLearned;
  }

  /// Takes a class as new: its samples leave the buffer, and its next ones are its mean.
  void forget(std::uint8_t label) {
    buffer_.forget(label);
    state_.head.bias(label) = state_.head.kUnseen;
    state_.counts[label] = imprinted(label) - Config::kImprintSamples;
  }

  static bool takes(const Feature* features) { return takes_features<Config>(features); }

  int buffer_count() const { return buffer_.count(); }
  float knob(int i) const { return knobs_[i]; }
  bool set_knob(int i, float value) { return knobs_.set(i, value); }
  void* state() { return &state_; }
  const void* state() const { return &state_; }
  bool state_within_limits() const {
    return state_.head.within_limits() && all_within(state_.counts, Config::kClasses, kMostWeight);
  }

 private:
  /// The count from which on a class is no longer new.
  static float imprinted(std::uint8_t label) {
    return label < Config::kFactoryClasses ? 0.0F : Config::kImprintSamples;
  }

  void imprint(const Feature* features, std::uint8_t label) {
    Logits at_mean;
    if (!mean_of(label, true)) {  // a reservoir did not keep it
      const auto feature = centred<Config>(features);
      for (int i = 0; i < Config::kFeatures; ++i) mean_[i] = feature(i) * Config::kFeatureScale;
    }
    state_.head.logits([this](int i) { return mean_[i]; }, 1.0F, at_mean);
    float most = -kMostWeight;
    float squares = 0.0F;
    float seen = 0.0F;
    for (int c = 0; c < Config::kClasses; ++c) {
      if (c == label || state_.head.unseen(c)) continue;
      if (at_mean[c] > most) most = at_mean[c];
      seen += 1.0F;
      for (int i = 0; i < Config::kFeatures; ++i) {
        squares += state_.head.weight(i, c) * state_.head.weight(i, c);
      }
    }
    // The column holds the mean until that of the others is known.
    for (int i = 0; i < Config::kFeatures; ++i) state_.head.weight(i, label) = mean_[i];
    static_cast<void>(mean_of(label, false));
    float length = 0.0F;
    for (int i = 0; i < Config::kFeatures; ++i) {
      const float away = state_.head.weight(i, label) - mean_[i];
      length += away * away;
    }
    float factor = 0.0F;
    if (length > kLeastSquare && squares < kMostSquare) {
      factor = squares > 0.0F ? root(squares / seen / length) : kMargin / length;
    }
    float logit = 0.0F;
    for (int i = 0; i < Config::kFeatures; ++i) {
      const float mean = state_.head.weight(i, label);
      const float weight = factor * (mean - mean_[i]);
      state_.head.weight(i, label) = weight;
      logit += weight * mean;
    }
    const float bias = (seen > 0.0F ? most : 0.0F) + 0.5F * factor * length - logit;
    const float bounded = bias < kMostWeight ? bias : kMostWeight;
    state_.head.bias(label) = bounded > kLeastBias ? bounded : kLeastBias;
  }

  /// Writes the mean of the samples of `label`, or of all others, to `mean_`; false, and 0, where
  /// there are none.
  bool mean_of(std::uint8_t label, bool own) {
    for (float& value : mean_) value = 0.0F;
    float count = 0.0F;
    buffer_.for_each([&](const Feature* sample, std::uint8_t other) {
      if ((other == label) != own) return;
      count += 1.0F;
      const auto feature = centred<Config>(sample);
      for (int i = 0; i < Config::kFeatures; ++i) mean_[i] += feature(i);
    });
    const float factor = count > 0.0F ? Config::kFeatureScale / count : 0.0F;
    for (float& value : mean_) value *= factor;
    return count > 0.0F;
  }

  /// A square root by Newton's method: the same bits on every machine, and no libm.
  static float root(float x) {
    float guess = x > 1.0F ? x : 1.0F;
    for (int i = 0; i < kRootSteps; ++i) guess = 0.5F * (guess + x / guess);
    return guess;
  }

  static constexpr float kMargin = 4.0F;
  static constexpr int kRootSteps = 64;  // half the exponents, then a few
  static constexpr float kLeastSquare = 1e-12F;
  static constexpr float kMostSquare = 1e20F;
  static constexpr float kLeastBias = -0.5F * kMostWeight;  // a lower one would mark it as unseen

  State state_;
  Knobs<Config> knobs_;
  Replay<Config> replay_;
  float mean_[Config::kFeatures];
  Buffer buffer_;
};

}  // namespace tinyml
