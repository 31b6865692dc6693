#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/learners/replay.hpp"

namespace tinyml {

/// A head and the buffer that it is trained from (TyBox, Pavan et al. 2023; with a buffer of one
/// sample it is TinyOL, Ren et al. 2021).
///
/// On every labelled sample: push, then `Config::kPasses` passes of SGD over the buffer, or over
/// `Config::kReplayed` samples of it. Knob 0 is the learning rate (`Replay`).
template <typename Config, typename Buffer>
class Tybox {
  static_assert(Config::kKnobs >= 1, "the learning rate");

 public:
  using Feature = typename Config::Feature;
  using Logits = float[Config::kClasses];

  static constexpr std::size_t kStateBytes =
      sizeof(float) * (Config::kFeatures + 1) * Config::kClasses;

  template <typename Factory>
  void reset() {
    head_.load(Factory::weights(), Factory::bias());
    buffer_.clear();
    replay_.reset();
    knobs_.reset();
  }

  void logits(const Feature* features, Logits& out) const {
    head_.logits(centred<Config>(features), Config::kFeatureScale, out);
  }

  LearnStatus learn(const Feature* features, std::uint8_t label) {
    if (label >= Config::kClasses) return LearnStatus::kWrongLabel;
    if (!takes(features)) return LearnStatus::kWrongSample;
    if (!head_.within_limits()) return LearnStatus::kWrongHead;
    if (Config::kClasses > Config::kFactoryClasses && head_.unseen(label)) head_.open(label);
    replay_.measure(features);
    buffer_.push(features, label);
    replay_.run(head_, buffer_, features, label, knobs_[0]);
    return LearnStatus::kLearned;
  }

  /// Takes a class as new: its samples leave the buffer, and its weights start afresh.
  void forget(std::uint8_t label) {
    buffer_.forget(label);
    for (int i = 0; i < Config::kFeatures; ++i) head_.weight(i, label) = 0.0F;
    head_.bias(label) = head_.kUnseen;
    head_.open(label);
  }

  static bool takes(const Feature* features) { return takes_features<Config>(features); }

  int buffer_count() const { return buffer_.count(); }
  float knob(int i) const { return knobs_[i]; }
  bool set_knob(int i, float value) { return knobs_.set(i, value); }
  void* state() { return &head_; }
  const void* state() const { return &head_; }
  bool state_within_limits() const { return head_.within_limits(); }

 private:
  Head<Config::kFeatures, Config::kClasses> head_;
  Knobs<Config> knobs_;
  Replay<Config> replay_;
  Buffer buffer_;
};

}  // namespace tinyml
