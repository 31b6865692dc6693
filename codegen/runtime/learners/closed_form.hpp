#pragma once

// What the closed forms (class means, discriminants, least squares) have in common.
//
// They compute with features less their mean in the factory (`Factory::mean()`), in units of their
// own size: `Factory::unit()` has one number, by which they are multiplied so that their mean
// square is 1. So what no sample changes is 0, however little is known of its variance. A feature
// beyond kMostUnits of these is no sample of what the factory saw, and refused; within it
// everything stays finite (`UdFactor` keeps its matrix within bounds). The head itself is one for
// features as they are.

#include "runtime/learners/head.hpp"
#include "runtime/learners/learner.hpp"

namespace tinyml {

constexpr float kMostUnits = 1000.0F;
constexpr float kMostSpread = 1e12F;  // of x' P x; a matrix that was damaged gives more, or a NaN

/// Whether features can be learned from.
template <typename Config, typename Factory>
bool takes_units(const typename Config::Feature* features) {
  const float most = kMostUnits / *Factory::unit();
  return takes_features<Config>(features) &&
         all_within(features, Config::kFeatures, most < kMostFeature ? most : kMostFeature);
}

/// Writes the features less their mean, in units of their size.
template <typename Config, typename Factory>
void to_units(const typename Config::Feature* features, float* out) {
  const auto feature = centred<Config>(features);
  const float* const mean = Factory::mean();
  const float unit = *Factory::unit();
  for (int i = 0; i < Config::kFeatures; ++i) {
    out[i] = (feature(i) * Config::kFeatureScale - mean[i]) * unit;
  }
}

/// How far a mean of `count` samples moves to the next one: it is of the last `memory` or so.
inline float mean_rate(float count, float memory) {
  const float least = 1.0F / memory;
  const float rate = 1.0F / (count + 1.0F);
  return rate > least ? rate : least;
}

/// Class means m in a metric P that does not change, as one linear layer: weights P m, biases
/// -m' P m / 2, less what the features' mean adds. Neither m nor P is needed to move a mean.
template <typename Config, typename Factory>
class ClassMeans {
 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];

  void reset() {
    head_.load(Factory::weights(), Factory::bias());
    for (int c = 0; c < Config::kClasses; ++c) {
      counts_[c] = c < Config::kFactoryClasses ? Config::kPriorSamples : 0.0F;
    }
  }

  void logits(const Feature* features, Logits& out) const {
    head_.logits(centred<Config>(features), Config::kFeatureScale, out);
  }

  /// Moves the mean of `label` towards a sample x: `metric_x` is P x in units, `square` x' P x.
  void move(const Feature* features, std::uint8_t label, const float* metric_x, float square,
            float memory) {
    if (head_.unseen(label)) counts_[label] = 0.0F;  // its first mean is this sample
    const float rate = counts_[label] > 0.0F ? mean_rate(counts_[label], memory) : 1.0F;
    Logits values;
    logits(features, values);
    const float rest = 1.0F - rate;
    float half_square = 0.0F;  // of the mean
    float inner = 0.0F;        // m' P x
    if (counts_[label] > 0.0F) {
      const float bias = head_.bias(label);
      const float shift = mean_logit(label);
      half_square = -(bias + shift);
      inner = values[label] - bias - shift;
    }
    const float unit = *Factory::unit();
    for (int i = 0; i < Config::kFeatures; ++i) {
      float& weight = head_.weight(i, label);
      weight += rate * (unit * metric_x[i] - weight);
    }
    half_square = rest * rest * half_square + rate * rest * inner + 0.5F * rate * rate * square;
    head_.bias(label) = -half_square - mean_logit(label);
    counts_[label] += 1.0F;
  }

  void forget(std::uint8_t label) {
    head_.bias(label) = head_.kUnseen;
    counts_[label] = 0.0F;
  }

  bool within_limits() const {
    return head_.within_limits() && all_within(counts_, Config::kClasses, kMostWeight);
  }

 private:
  /// What the features' mean adds to a logit.
  float mean_logit(int c) const {
    const float* const mean = Factory::mean();
    float sum = 0.0F;
    for (int i = 0; i < Config::kFeatures; ++i) sum += head_.weight(i, c) * mean[i];
    return sum;
  }

  Head<Config::kFeatures, Config::kClasses> head_;
  float counts_[Config::kClasses];
};

}  // namespace tinyml
