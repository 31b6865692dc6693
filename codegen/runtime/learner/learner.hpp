#pragma once

#include <cstdint>

#include "runtime/learner/head.hpp"
#include "runtime/learner/replay_buffer.hpp"

namespace tinyml {

/// A head and the buffer that it is trained from (TyBox, Pavan et al. 2023; with a buffer of one
/// sample it is TinyOL, Ren et al. 2021).
///
/// `Config` gives the types and constants: Feature, kFeatures, kClasses, kBufferSamples, kPasses,
/// kLoss, kLearningRate, kFeatureScale and kFeatureZeroPoint.
template <typename Config>
class Learner {
 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];
  using Wide = decltype(+Feature{});  // int for codes, float for floats

  /// Starts afresh: the given head, the configured learning rate, an empty buffer.
  void reset(const float* weights, const float* bias) {
    head_.load(weights, bias);
    buffer_.clear();
    learning_rate_ = Config::kLearningRate;
  }

  void logits(const Feature* features, Logits& out) const {
    head_.logits(centred(features), Config::kFeatureScale, out);
  }

  /// The class with the largest logit; the first of equals.
  std::uint8_t predict(const Feature* features) const {
    Logits values;
    logits(features, values);
    int best = 0;
    for (int c = 1; c < Config::kClasses; ++c) {
      if (values[c] > values[best]) best = c;
    }
    return static_cast<std::uint8_t>(best);
  }

  /// Pushes the sample, then makes `kPasses` passes of SGD over the buffer, oldest sample first.
  /// False, and nothing changed, when `label` is not a class.
  bool learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return false;
    buffer_.push(features, label);
    for (int pass = 0; pass < Config::kPasses; ++pass) {
      buffer_.for_each([this](const Feature* sample, std::uint8_t sample_label) {
        head_.template step<Config::kLoss>(centred(sample), Config::kFeatureScale, sample_label,
                                           learning_rate_);
      });
    }
    return true;
  }

  int buffer_count() const { return buffer_.count(); }
  float learning_rate() const { return learning_rate_; }
  void set_learning_rate(float value) { learning_rate_ = value; }
  const float* weights() const { return head_.weights(); }
  const float* bias() const { return head_.bias(); }
  /// Weights and bias as one block of bytes, to be saved and restored.
  void* head() { return &head_; }

 private:
  /// Code less zero point, one feature at a time; times the scale it is the real feature. Float
  /// features pass unchanged, as scale 1 and zero point 0 are exact.
  static auto centred(const Feature* features) {
    return [features](int i) {
      constexpr auto kZeroPoint = static_cast<Wide>(Config::kFeatureZeroPoint);
      return static_cast<float>(features[i] - kZeroPoint);
    };
  }

  Head<Config::kFeatures, Config::kClasses> head_;
  float learning_rate_;
  ReplayBuffer<Feature, Config::kFeatures, Config::kBufferSamples> buffer_;
};

}  // namespace tinyml
