#pragma once

#include <cstdint>

namespace tinyml {

/// Accuracy on labelled samples, each predicted before it was learned (Dawid 1984: prequential).
template <int kClasses>
class Prequential {
 public:
  /// Weight of a sample in the moving average; its first 1 / kAlpha samples count alike.
  static constexpr float kAlpha = 1.0F / 32.0F;

  void update(std::uint8_t label, std::uint8_t predicted) {
    const bool right = label == predicted;
    ++samples_;
    ++seen_[label];
    if (right) {
      ++correct_;
      ++correct_of_[label];
    }
    const float share = 1.0F / static_cast<float>(samples_);
    recent_ += ((right ? 1.0F : 0.0F) - recent_) * (share > kAlpha ? share : kAlpha);
  }

  std::uint32_t samples() const { return samples_; }
  std::uint32_t correct() const { return correct_; }
  /// Exponential moving average of the accuracy, 0 to 1.
  float recent() const { return recent_; }
  /// Samples of each class, and the correct ones among them.
  const std::uint32_t (&seen() const)[kClasses] { return seen_; }
  const std::uint32_t (&correct_of() const)[kClasses] { return correct_of_; }

 private:
  std::uint32_t samples_ = 0;
  std::uint32_t correct_ = 0;
  float recent_ = 0.0F;
  std::uint32_t seen_[kClasses] = {};
  std::uint32_t correct_of_[kClasses] = {};
};

}  // namespace tinyml
