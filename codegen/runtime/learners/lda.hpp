#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/closed_form.hpp"
#include "runtime/learners/ud_factor.hpp"

namespace tinyml {

/// Linear discriminant analysis with a covariance that the factory measured: class means, which
/// forget, in the space that it whitens (as Embedded-CL, arXiv 2203.10681, without learning it).
///
/// The covariance's inverse is a packed triangle in flash (`Factory::precision`). Knob 0 is the
/// memory of the means, in samples of a class.
template <typename Config, typename Factory>
class Lda {
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
    const float square = UdFactor<Config::kFeatures>::project(Factory::precision(), sample_);
    UdFactor<Config::kFeatures>::expand(Factory::precision(), sample_);
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
