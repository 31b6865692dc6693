#pragma once

#include <cstdint>

#include "runtime/buffers/random.hpp"
#include "runtime/buffers/rows.hpp"

namespace tinyml {

/// A fair sample of all that ever came (Vitter 1985, algorithm R): each is kept with one
/// probability, the number of rows over the number of samples so far.
template <typename Rows>
class Reservoir {
 public:
  using Feature = typename Rows::Feature;
  static constexpr int kCapacity = Rows::kCapacity;

  void push(const Feature* features, std::uint8_t label) {
    seen_ = one_more(seen_);
    int row = count_;
    if (count_ < kCapacity) {
      ++count_;
    } else {
      const std::uint32_t drawn = random_.below(seen_);
      if (drawn >= static_cast<std::uint32_t>(kCapacity)) return;
      row = static_cast<int>(drawn);
    }
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
    seen_ = 0;
    random_.restart();
  }

  /// Drops all samples of a class.
  void forget(std::uint8_t label) { count_ = without(label, rows_, labels_, count_); }

  int count() const { return count_; }

 private:
  std::int32_t count_ = 0;  ///< Samples held.
  std::uint32_t seen_ = 0;  ///< Samples that came.
  Random random_;
  Rows rows_;
  std::uint8_t labels_[kCapacity];
};

}  // namespace tinyml
