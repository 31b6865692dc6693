#pragma once

#include <cstdint>

#include "runtime/learner/head.hpp"
#include "runtime/learner/limits.hpp"
#include "runtime/learner/replay_buffer.hpp"

namespace tinyml {

/// What became of a sample. Unless it is kLearned, nothing has changed.
enum class LearnStatus : std::uint8_t {
  kLearned,
  kWrongLabel,   ///< Not below the number of classes.
  kWrongSample,  ///< A feature or pixel that is no finite number, or a feature beyond kMostFeature.
  kWrongHead,    ///< A weight that is no finite number or beyond kMostWeight: reset or load it.
};

/// A head and the buffer that it is trained from (TyBox, Pavan et al. 2023; with a buffer of one
/// sample it is TinyOL, Ren et al. 2021).
///
/// `Config` gives the types and constants: Feature, kFeatures, kClasses, kBufferSamples, kPasses,
/// kLoss, kLearningRate, kFeatureScale and kFeatureZeroPoint.
template <typename Config>
class Learner {
  static_assert(Config::kFeatures <= kMostFeatures && Config::kLearningRate >= kLeastRate &&
                    Config::kLearningRate <= kMostRate,
                "limits.hpp counts on this");
  static_assert(sizeof(typename Config::Feature) == sizeof(float) ||
                    Config::kFeatureScale * 255.0F <= kMostFeature,
                "features lie within the limit, whatever their codes");

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
  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!head_.within_limits()) return LearnStatus::kWrongHead;
    buffer_.push(features, label);
    for (int pass = 0; pass < Config::kPasses; ++pass) {
      buffer_.for_each([this](const Feature* sample, std::uint8_t sample_label) {
        head_.template step<Config::kLoss>(centred(sample), Config::kFeatureScale, sample_label,
                                           learning_rate_);
      });
    }
    return LearnStatus::kLearned;
  }

  /// Whether features can be learned from: finite, and within `kMostFeature`.
  static bool takes(const Feature* features) {
    return all_within(features, Config::kFeatures, kMostFeature);
  }

  int buffer_count() const { return buffer_.count(); }
  float learning_rate() const { return learning_rate_; }
  /// False, and nothing changed, when `value` does not lie in kLeastRate..kMostRate.
  bool set_learning_rate(float value) {
    if (!(value >= kLeastRate && value <= kMostRate)) return false;  // nor is a NaN
    learning_rate_ = value;
    return true;
  }
  const float* weights() const { return head_.weights(); }
  const float* bias() const { return head_.bias(); }
  /// Weights and bias as one block of bytes, to be saved and restored.
  void* head() { return &head_; }
  bool head_within_limits() const { return head_.within_limits(); }

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
