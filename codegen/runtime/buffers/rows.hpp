#pragma once

#include <cstdint>
#include <cstring>

namespace tinyml {

/// Room for `kRows` samples' features, as the extractor writes them.
template <typename T, int kFeatures, int kRows>
class Rows {
  static_assert(kFeatures > 0 && kRows > 0, "a buffer holds at least one sample");

 public:
  using Feature = T;
  static constexpr int kCapacity = kRows;

  void put(int row, const Feature* features) {
    std::memcpy(features_[row], features, sizeof(features_[row]));
  }
  /// Features of a row; valid until the next call.
  const Feature* at(int row) const { return features_[row]; }
  void copy(int to, int from) {
    if (to != from) std::memcpy(features_[to], features_[from], sizeof(features_[to]));
  }
  /// Moves rows first + 1 .. last up to one place before.
  void close_gap(int first, int last) {
    std::memmove(features_[first], features_[first + 1],
                 sizeof(features_[0]) * static_cast<std::size_t>(last - first));
  }

 private:
  Feature features_[kRows][kFeatures];
};

/// The same in four bits a feature: the middle of the sixteen codes that share their upper half. A
/// row that is read is unpacked into a place of its own.
template <int kFeatures, int kRows>
class PackedRows {
  static_assert(kFeatures > 0 && kRows > 0, "a buffer holds at least one sample");

 public:
  using Feature = std::int8_t;
  static constexpr int kCapacity = kRows;

  void put(int row, const Feature* features) {
    for (int i = 0; i < kFeatures; i += 2) {
      const unsigned low = nibble(features[i]);
      const unsigned high = i + 1 < kFeatures ? nibble(features[i + 1]) : 0U;
      packed_[row][i / 2] = static_cast<std::uint8_t>(low | (high << 4U));
    }
  }
  const Feature* at(int row) const {
    for (int i = 0; i < kFeatures; ++i) {
      const unsigned pair = packed_[row][i / 2];
      const unsigned code = i % 2 == 0 ? pair & 15U : pair >> 4U;
      unpacked_[i] = static_cast<Feature>(static_cast<int>(code) * 16 + 8 - 128);
    }
    return unpacked_;
  }
  void copy(int to, int from) {
    if (to != from) std::memcpy(packed_[to], packed_[from], sizeof(packed_[to]));
  }
  void close_gap(int first, int last) {
    std::memmove(packed_[first], packed_[first + 1],
                 sizeof(packed_[0]) * static_cast<std::size_t>(last - first));
  }

 private:
  static unsigned nibble(Feature code) { return static_cast<unsigned>(code + 128) >> 4U; }

  std::uint8_t packed_[kRows][(kFeatures + 1) / 2];
  mutable Feature unpacked_[kFeatures];
};

/// Drops the samples of a class from the first `count` rows, and closes their gaps; how many stay.
template <typename Rows>
int without(std::uint8_t label, Rows& rows, std::uint8_t* labels, int count) {
  int kept = 0;
  for (int row = 0; row < count; ++row) {
    if (labels[row] == label) continue;
    rows.copy(kept, row);
    labels[kept] = labels[row];
    ++kept;
  }
  return kept;
}

}  // namespace tinyml
