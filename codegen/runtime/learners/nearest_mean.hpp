#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/closed_form.hpp"

namespace tinyml {

/// The nearest class mean in a metric P that does not change; the means forget.
///
/// `Metric::apply` makes P x of a sample x, and gives x' P x. Knob 0 is the memory of the means, in
/// samples of a class.
template <typename Config, typename Factory, typename Metric>
class NearestMean {
  static_assert(Config::kKnobs >= 1, "the memory of means");

 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];
  using Means = ClassMeans<Config, Factory>;

  static constexpr std::size_t kStateBytes = sizeof(Means);

  template <typename>
  void reset() {
    means_.reset();
    knobs_.reset();
  }

  void logits(const Feature* features, Logits& out) const { means_.logits(features, out); }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!means_.within_limits()) return LearnStatus::kWrongHead;
    to_units<Config, Factory>(features, sample_);
    const float square = Metric::apply(sample_);
    means_.move(features, label, sample_, square, knobs_[0]);
    return LearnStatus::kLearned;
  }

  /// Takes a class as new: no sample of it came.
  void forget(std::uint8_t label) { means_.forget(label); }

  static bool takes(const Feature* features) { return takes_units<Config, Factory>(features); }

  int buffer_count() const { return 0; }
  float knob(int i) const { return knobs_[i]; }
  bool set_knob(int i, float value) { return knobs_.set(i, value); }
  void* state() { return &means_; }
  const void* state() const { return &means_; }
  bool state_within_limits() const { return means_.within_limits(); }

 private:
  Means means_;
  Knobs<Config> knobs_;
  float sample_[Config::kFeatures];
};

}  // namespace tinyml
