#pragma once

#include <cstdint>

#include "runtime/buffers/rows.hpp"

namespace tinyml {

/// The buffer B of TyBox: the last `kCapacity` labelled samples, first in, first out.
///
/// A sample takes exactly its row and a byte for its label: rows and labels lie in separate arrays,
/// so that nothing is padded.
template <typename Rows>
class Fifo {
 public:
  using Feature = typename Rows::Feature;
  static constexpr int kCapacity = Rows::kCapacity;

  /// Adds a sample; a full buffer forgets its oldest one.
  void push(const Feature* features, std::uint8_t label) {
    rows_.put(next_, features);
    labels_[next_] = label;
    next_ = after(next_);
    if (count_ < kCapacity) ++count_;
  }

  /// Calls `visit(const Feature* features, std::uint8_t label)` on each sample, oldest first.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    int row = oldest();
    for (int seen = 0; seen < count_; ++seen) {
      visit(rows_.at(row), labels_[row]);
      row = after(row);
    }
  }

  /// The same on one sample, by its number in 0 .. `count()` - 1: a sample keeps its number.
  template <typename Visitor>
  void visit_one(int number, Visitor&& visit) const {
    int row = number;
    if (count_ < kCapacity) {
      row += oldest();
      if (row >= kCapacity) row -= kCapacity;
    }
    visit(rows_.at(row), labels_[row]);
  }

  void clear() {
    next_ = 0;
    count_ = 0;
  }

  /// Drops all samples of a class.
  void forget(std::uint8_t label) {
    int row = oldest();
    int kept = row;
    std::int32_t left = 0;
    for (int seen = 0; seen < count_; ++seen) {
      if (labels_[row] != label) {
        rows_.copy(kept, row);
        labels_[kept] = labels_[row];
        kept = after(kept);
        ++left;
      }
      row = after(row);
    }
    next_ = kept;
    count_ = left;
  }

  int count() const { return count_; }

 private:
  static int after(int row) { return row + 1 == kCapacity ? 0 : row + 1; }
  int oldest() const { return next_ >= count_ ? next_ - count_ : next_ - count_ + kCapacity; }

  std::int32_t next_ = 0;   ///< Row that the next push writes.
  std::int32_t count_ = 0;  ///< Samples held.
  Rows rows_;
  std::uint8_t labels_[kCapacity];
};

}  // namespace tinyml
