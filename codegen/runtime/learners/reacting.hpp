#pragma once

#include <cstdint>

#include "runtime/learners/learner.hpp"
#include "runtime/monitor/page_hinkley.hpp"

namespace tinyml {

/// A learner that takes a class as new once its samples begin to be mistaken.
///
/// Each class has a Page-Hinkley test of its own, on what was predicted of its samples before they
/// were learned. One that rings says that the class means something else now: `Learner::forget`
/// drops what was known of it, and the sample that rang is its first. The other classes keep all
/// that they know, and so do statistics that belong to none. The factory's classes start as if
/// kExpected samples had come of them, of which kExpectedErrors was mistaken, so that the first one
/// that comes can ring.
///
/// The last knob is the evidence that is asked for, in mistakes beyond what is usual for the class.
template <typename Config, typename Learner>
class Reacting : public Learner {
 public:
  using Feature = typename Config::Feature;

  static constexpr float kTolerated = 0.2F;  ///< Rise of a class's error rate that is no change.
  static constexpr std::uint32_t kExpected = 10;
  static constexpr float kExpectedErrors = 0.1F;

  template <typename Factory>
  void reset() {
    Learner::template reset<Factory>();
    for (int c = 0; c < Config::kClasses; ++c) {
      tests_[c] =
          c < Config::kFactoryClasses ? PageHinkley(kExpected, kExpectedErrors) : PageHinkley();
    }
  }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    typename Learner::Logits logits;
    this->logits(features, logits);  // of anything: what is refused below is not looked at
    const bool mistaken = largest_of(logits) != label;
    bool rang = false;
    for (;;) {  // the sample that rings is learned once more, by a class that is new
      const LearnStatus status = Learner::learn(features, label);
      if (rang || status != LearnStatus::kLearned) return status;
      rang = tests_[label].update(mistaken, kTolerated, this->knob(Config::kKnobs - 1));
      if (!rang) return status;
      this->forget(label);
    }
  }

 private:
  PageHinkley tests_[Config::kClasses];
};

}  // namespace tinyml
