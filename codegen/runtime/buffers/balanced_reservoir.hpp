#pragma once

#include <cstdint>

#include "runtime/buffers/random.hpp"
#include "runtime/buffers/rows.hpp"

namespace tinyml {

/// Class-balancing reservoir sampling (Chrysakis and Moens 2020): classes share the rows as evenly
/// as they came, and of each class that filled its share a fair sample of all that came is kept.
template <typename Rows, int kClasses>
class BalancedReservoir {
 public:
  using Feature = typename Rows::Feature;
  static constexpr int kCapacity = Rows::kCapacity;

  void push(const Feature* features, std::uint8_t label) {
    seen_[label] = one_more(seen_[label]);
    const int row = count_ < kCapacity ? count_ : place_for(label);
    if (row < 0) return;
    if (count_ < kCapacity) ++count_;
    rows_.put(row, features);
    labels_[row] = label;
  }

  /// Calls `visit(const Feature* features, std::uint8_t label)` on each sample, row by row.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    for (int row = 0; row < count_; ++row) visit(rows_.at(row), labels_[row]);
  }

  /// The same on one sample, by its number in 0 .. `count()` - 1.
  template <typename Visitor>
  void visit_one(int number, Visitor&& visit) const {
    visit(rows_.at(number), labels_[number]);
  }

  void clear() {
    count_ = 0;
    random_.restart();
    for (std::uint32_t& seen : seen_) seen = 0;
    for (std::uint8_t& full : full_) full = 0;
  }

  /// Drops all samples of a class.
  void forget(std::uint8_t label) {
    count_ = without(label, rows_, labels_, count_);
    seen_[label] = 0;
    full_[label] = 0;
  }

  int count() const { return count_; }

 private:
  /// The row that a sample of `label` takes, -1 for none.
  int place_for(std::uint8_t label) {
    std::int32_t counts[kClasses] = {};
    for (const std::uint8_t kept : labels_) ++counts[kept];
    int largest = 0;
    for (int c = 1; c < kClasses; ++c) {
      if (counts[c] > counts[largest]) largest = c;
    }
    for (int c = 0; c < kClasses; ++c) {
      if (counts[c] == counts[largest]) full_[c] = 1;
    }
    if (full_[label] == 0) return row_of(largest, counts[largest]);
    const auto kept = static_cast<std::uint32_t>(counts[label]);
    return random_.below(seen_[label]) < kept ? row_of(label, counts[label]) : -1;
  }

  /// One of a class's `count` rows, at random.
  int row_of(int label, std::int32_t count) {
    std::uint32_t nth = random_.below(static_cast<std::uint32_t>(count));
    for (int row = 0; row < kCapacity; ++row) {
      if (labels_[row] == label && nth-- == 0) return row;
    }
    return -1;
  }

  std::int32_t count_ = 0;  ///< Samples held.
  Random random_;
  std::uint32_t seen_[kClasses] = {};  ///< Samples that came of each class.
  Rows rows_;
  std::uint8_t labels_[kCapacity];
  std::uint8_t full_[kClasses] = {};  ///< 1: the class had the most rows once.
};

}  // namespace tinyml
