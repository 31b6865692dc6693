#pragma once

#include <cstdint>

namespace tinyml {

/// Page-Hinkley test for a rise of the mean (Page 1954; Hinkley 1971; in the form of Gama,
/// Sebastiao and Rodrigues 2013, "On evaluating stream learning algorithms", section 5):
///
///     m_T = sum_t (x_t - mean_t - delta),   alarm when m_T - min_t m_t > lambda
///
/// where x_t is 1 for a wrong prediction and mean_t the mean of x_1 .. x_t. After an alarm it
/// starts afresh, so that it tells of the next change as well.
class PageHinkley {
 public:
  /// Change of the error rate that is tolerated, and the evidence that is asked for, in errors. As
  /// measured on simulated streams: see docs/protocol.md.
  static constexpr float kDelta = 0.05F;
  static constexpr float kLambda = 12.0F;

  PageHinkley() = default;

  /// As if `count` results had come, a share `mean` of them wrong.
  PageHinkley(std::uint32_t count, float mean) : count_(count), mean_(mean) {}

  /// Takes one result; true when the error has risen.
  bool update(bool wrong, float delta = kDelta, float lambda = kLambda) {
    const float x = wrong ? 1.0F : 0.0F;
    ++count_;
    mean_ += (x - mean_) / static_cast<float>(count_);
    sum_ += x - mean_ - delta;
    if (sum_ < lowest_) lowest_ = sum_;
    const bool risen = statistic() > lambda;
    if (risen) *this = PageHinkley();
    return risen;
  }

  float statistic() const { return sum_ - lowest_; }

 private:
  std::uint32_t count_ = 0;
  float mean_ = 0.0F;
  float sum_ = 0.0F;
  float lowest_ = 0.0F;
};

}  // namespace tinyml
