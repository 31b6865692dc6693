#pragma once

#include "runtime/learners/head.hpp"
#include "runtime/learners/learner.hpp"

namespace tinyml {

/// The mean squared length of the features that came: of the last 256 or so.
class MeanSquare {
 public:
  void reset() { mean_ = count_ = 0.0F; }

  void add(float square) {
    if (count_ < 256.0F) count_ += 1.0F;
    mean_ += (square - mean_) / count_;
  }

  float value() const { return mean_; }

 private:
  float mean_;
  float count_;
};

/// Passes of stochastic gradient descent on `Config::kLoss` over a buffer.
///
/// A step is the learning rate over the mean squared length of the features (NLMS: Nagumo and Noda
/// 1967; so that it means the same for features of any size and number) and over the samples in the
/// buffer (so that it means the same for a buffer of any size, full or not): a pass moves the head
/// as far as one step on the mean gradient. The bias belongs to a feature that is as large as the
/// others are on average.
template <typename Config>
class Replay {
  static_assert(Config::knob(0).least >= kLeastRate && Config::knob(0).most <= kMostRate,
                "limits.hpp counts on this");

 public:
  using Feature = typename Config::Feature;

  void reset() { length_.reset(); }

  /// Takes note of a sample, before it is pushed.
  void measure(const Feature* features) {
    const auto feature = centred<Config>(features);
    float square = 0.0F;
    for (int i = 0; i < Config::kFeatures; ++i) square += feature(i) * feature(i);
    const float real = square * Config::kFeatureScale * Config::kFeatureScale;
    length_.add(real < kMostSquare ? real : kMostSquare);
  }

  template <typename Head, typename Buffer>
  void run(Head& head, const Buffer& buffer, float rate) const {
    const float share = rate / static_cast<float>(buffer.count());
    const float length = length_.value() > kLeastSquare ? length_.value() : kLeastSquare;
    const float size = share / length;
    const float step = size < kMostRate ? size : kMostRate;  // limits.hpp counts on this
    const float bias_step = share / static_cast<float>(Config::kFeatures);
    for (int pass = 0; pass < Config::kPasses; ++pass) {
      buffer.for_each([&](const Feature* sample, std::uint8_t label) {
        head.template step<Config::kLoss>(centred<Config>(sample), Config::kFeatureScale, label,
                                          step, bias_step);
      });
    }
  }

 private:
  static constexpr float kLeastSquare = 1e-20F;
  static constexpr float kMostSquare = 1e20F;

  MeanSquare length_;
};

}  // namespace tinyml
