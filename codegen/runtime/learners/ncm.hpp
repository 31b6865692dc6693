#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/closed_form.hpp"
#include "runtime/learners/packed_columns.hpp"

namespace tinyml {

/// The nearest class mean (Mensink et al. 2013), with means that forget.
///
/// Knob 0 is their memory, in samples of a class.
template <typename Config, typename Factory>
class Ncm {
  static_assert(Config::kKnobs == 1, "the memory of means");

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
    const float square = dot(sample_, sample_, Config::kFeatures);
    means_.move(features, label, sample_, square, knobs_[0]);
    return LearnStatus::kLearned;
  }

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
