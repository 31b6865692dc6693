#pragma once

// What every learner of this folder is, so that the program need not know which one it has.
//
// Its state is explicit, and nothing is on the heap:
//   kStateBytes: bytes of what is saved, floats throughout: weights (kFeatures, kClasses) row by
//     row, bias (kClasses), then what else it has learned
//   state(): where these bytes lie
//   state_within_limits(): whether they are worth keeping
//
// What it does:
//   reset<Factory>(): starts afresh, from the factory's constants in flash
//   logits(features, out): scores of all classes
//   learn(features, label): takes one labelled sample; unless it says kLearned, nothing has changed
//   takes(features): whether features can be learned from
//   buffer_count(): samples that it keeps; 0 where it keeps none
//   forget(label): takes a class as new, for `Reacting`
//
// What may be set while it runs, in the order of `Config::knob`:
//   knob(i): its value
//   set_knob(i, value): false, and nothing changed, outside the knob's range
//
// `Config` (src/config.hpp, generated) gives the sizes, kFeatureScale, kFeatureZeroPoint, the knobs
// and the constants that its Python class names (codegen/learners/).

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "runtime/learners/limits.hpp"

namespace tinyml {

/// What became of a sample. Unless it is kLearned, nothing has changed.
enum class LearnStatus : std::uint8_t {
  kLearned,
  kWrongLabel,   ///< Not below the number of classes that are compiled in.
  kWrongSample,  ///< A feature or pixel that is no finite number, or a feature beyond kMostFeature.
  kWrongHead,    ///< A weight that is no finite number or beyond kMostWeight: reset or load it.
};

/// A number that may be set while the program runs, its first value and its range.
struct Knob {
  const char* name;
  float value;
  float least;
  float most;
};

/// The knobs of a learner, as they are set.
template <typename Config>
class Knobs {
 public:
  void reset() {
    for (int i = 0; i < Config::kKnobs; ++i) values_[i] = Config::knob(i).value;
  }

  float operator[](int i) const { return values_[i]; }

  /// False, and nothing changed, where there is no such knob or `value` is out of its range.
  bool set(int i, float value) {
    if (i < 0 || i >= Config::kKnobs) return false;
    const Knob knob = Config::knob(i);
    if (!(value >= knob.least && value <= knob.most)) return false;  // nor is a NaN
    values_[i] = value;
    return true;
  }

 private:
  float values_[Config::kKnobs];
};

/// Code less zero point, one feature at a time; times the scale it is the real feature. Float
/// features pass unchanged, as scale 1 and zero point 0 are exact.
template <typename Config>
auto centred(const typename Config::Feature* features) {
  return [features](int i) {
    using Wide = decltype(+typename Config::Feature{});  // int for codes, float for floats
    constexpr auto kZeroPoint = static_cast<Wide>(Config::kFeatureZeroPoint);
    return static_cast<float>(features[i] - kZeroPoint);
  };
}

/// Whether features can be learned from: finite, and within `kMostFeature`.
template <typename Config>
bool takes_features(const typename Config::Feature* features) {
  static_assert(Config::kFeatures <= kMostFeatures, "limits.hpp counts on this");
  static_assert(sizeof(typename Config::Feature) == sizeof(float) ||
                    Config::kFeatureScale * 255.0F <= kMostFeature,
                "features lie within the limit, whatever their codes");
  return all_within(features, Config::kFeatures, kMostFeature);
}

/// The class with the largest logit; the first of equals.
template <int kClasses>
std::uint8_t largest_of(const float (&logits)[kClasses]) {
  int best = 0;
  for (int c = 1; c < kClasses; ++c) {
    if (logits[c] > logits[best]) best = c;
  }
  return static_cast<std::uint8_t>(best);
}

// In C++14 too, which Arduino compiles: without the shorter names of C++17.
// NOLINTBEGIN(modernize-type-traits)
/// Refuses, while the program is compiled, a class that lacks a part of the above.
template <typename Learner, typename Config, typename Factory>
constexpr bool is_learner() {
  using Feature = const typename Config::Feature*;
  using Logits = float[Config::kClasses];
  static_assert(std::is_trivially_copyable<Learner>::value, "a learner is plain bytes");
  static_assert(Learner::kStateBytes % sizeof(float) == 0, "its state is floats");
  static_assert(std::is_same<decltype(std::declval<Learner&>().template reset<Factory>()), void>(),
                "reset starts afresh");
  static_assert(std::is_same<decltype(std::declval<const Learner&>().logits(
                                 std::declval<Feature>(), std::declval<Logits&>())),
                             void>(),
                "logits scores all classes");
  static_assert(std::is_same<decltype(std::declval<Learner&>().learn(std::declval<Feature>(),
                                                                     std::uint8_t{})),
                             LearnStatus>(),
                "learn says what became of a sample");
  static_assert(std::is_same<decltype(Learner::takes(std::declval<Feature>())), bool>(),
                "takes judges features");
  static_assert(std::is_same<decltype(std::declval<const Learner&>().knob(0)), float>() &&
                    std::is_same<decltype(std::declval<Learner&>().set_knob(0, 0.0F)), bool>(),
                "knobs are read and set by number");
  static_assert(
      std::is_same<decltype(std::declval<Learner&>().state()), void*>() &&
          std::is_same<decltype(std::declval<const Learner&>().state()), const void*>() &&
          std::is_same<decltype(std::declval<const Learner&>().state_within_limits()), bool>(),
      "its state is saved and judged");
  static_assert(std::is_same<decltype(std::declval<const Learner&>().buffer_count()), int>(),
                "the samples that it keeps are counted");
  return true;
}
// NOLINTEND(modernize-type-traits)

}  // namespace tinyml
