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

/// Whose turn it is in a buffer that no pass goes through as a whole; nothing where all do.
template <bool kInTurn>
class Turn {
 protected:
  void start() { next_ = 0; }

  /// A number in 0 .. `count` - 1, the one after the last.
  int take(int count) {
    const int number = next_ < count ? next_ : 0;
    next_ = number + 1;
    return number;
  }

 private:
  std::int32_t next_;
};

template <>
class Turn<false> {
 protected:
  void start() {}
  int take(int /*count*/) { return 0; }
};

/// Passes of stochastic gradient descent on `Config::kLoss` over a buffer.
///
/// A step is the learning rate over the mean squared length of the features (NLMS: Nagumo and Noda
/// 1967; so that it means the same for features of any size and number) and over the samples in the
/// buffer (so that it means the same for a buffer of any size, full or not): a pass moves the head
/// as far as one step on the mean gradient. The bias belongs to a feature that is as large as the
/// others are on average.
///
/// Where the buffer holds more than `Config::kReplayed` samples, unless that is 0, a pass goes
/// through as many: those whose turn it is, and the new one at last. The rate is then over these,
/// so that a pass moves the head as far, on the gradient of a part.
template <typename Config>
class Replay : private Turn<(Config::kReplayed > 0)> {
  static_assert(Config::knob(0).least >= kLeastRate && Config::knob(0).most <= kMostRate,
                "limits.hpp counts on this");

 public:
  using Feature = typename Config::Feature;

  void reset() {
    length_.reset();
    this->start();
  }

  /// Takes note of a sample, before it is pushed.
  void measure(const Feature* features) {
    const auto feature = centred<Config>(features);
    float square = 0.0F;
    for (int i = 0; i < Config::kFeatures; ++i) square += feature(i) * feature(i);
    const float real = square * Config::kFeatureScale * Config::kFeatureScale;
    length_.add(real < kMostSquare ? real : kMostSquare);
  }

  /// Passes over `buffer`, into which `features` of class `label` have just been pushed.
  template <typename Head, typename Buffer>
  void run(Head& head, const Buffer& buffer, const Feature* features, std::uint8_t label,
           float rate) {
    const bool whole = Config::kReplayed == 0 || buffer.count() <= Config::kReplayed;
    const int samples = whole ? buffer.count() : Config::kReplayed;
    const float share = rate / static_cast<float>(samples);
    const float length = length_.value() > kLeastSquare ? length_.value() : kLeastSquare;
    const float size = share / length;
    const float step = size < kMostRate ? size : kMostRate;  // limits.hpp counts on this
    const float bias_step = share / static_cast<float>(Config::kFeatures);
    const auto descend = [&](const Feature* sample, std::uint8_t its) {
      head.template step<Config::kLoss>(centred<Config>(sample), Config::kFeatureScale, its, step,
                                        bias_step);
    };
    for (int pass = 0; pass < Config::kPasses; ++pass) {
      if (whole) {
        buffer.for_each(descend);
        continue;
      }
      for (int others = samples - 1; others > 0; --others) {
        buffer.visit_one(this->take(buffer.count()), descend);
      }
      descend(features, label);
    }
  }

 private:
  static constexpr float kLeastSquare = 1e-20F;
  static constexpr float kMostSquare = 1e20F;

  MeanSquare length_;
};

}  // namespace tinyml
