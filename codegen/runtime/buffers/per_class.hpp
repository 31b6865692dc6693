#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/buffers/rows.hpp"

namespace tinyml {

/// The latest samples of each class, as many of one as of another as far as they came: a full
/// buffer forgets the oldest sample of the class that has most (of the class that comes, if that
/// has most).
///
/// However long one class alone arrives, the others keep their share. Samples lie in the order in
/// which they came; what is forgotten in the middle is closed up.
template <typename Rows, int kClasses>
class PerClass {
 public:
  using Feature = typename Rows::Feature;
  static constexpr int kCapacity = Rows::kCapacity;

  void push(const Feature* features, std::uint8_t label) {
    if (count_ == kCapacity) make_room(label);
    rows_.put(count_, features);
    labels_[count_] = label;
    ++count_;
  }

  /// Calls `visit(const Feature* features, std::uint8_t label)` on each sample, oldest first.
  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    for (int row = 0; row < count_; ++row) visit(rows_.at(row), labels_[row]);
  }

  /// The same on one sample, by its number in 0 .. `count()` - 1.
  template <typename Visitor>
  void visit_one(int number, Visitor&& visit) const {
    visit(rows_.at(number), labels_[number]);
  }

  void clear() { count_ = 0; }

  /// Drops all samples of a class.
  void forget(std::uint8_t label) { count_ = without(label, rows_, labels_, count_); }

  int count() const { return count_; }

 private:
  /// Makes room for a sample of `label`.
  void make_room(std::uint8_t label) {
    std::int32_t counts[kClasses] = {};
    for (const std::uint8_t kept : labels_) ++counts[kept];
    int largest = label;
    for (int c = 0; c < kClasses; ++c) {
      if (counts[c] > counts[largest]) largest = c;
    }
    int row = 0;
    while (labels_[row] != largest) ++row;
    rows_.close_gap(row, kCapacity - 1);
    std::memmove(labels_ + row, labels_ + row + 1, static_cast<std::size_t>(kCapacity - 1 - row));
    --count_;
  }

  std::int32_t count_ = 0;  ///< Samples held.
  Rows rows_;
  std::uint8_t labels_[kCapacity];
};

}  // namespace tinyml
