// The buffers behind a C interface, for tests/codegen/buffers/test_buffers.py.

#include "runtime/buffers/balanced_reservoir.hpp"
#include "runtime/buffers/fifo.hpp"
#include "runtime/buffers/per_class.hpp"
#include "runtime/buffers/reservoir.hpp"

namespace {

constexpr int kFeatures = 3;
constexpr int kClasses = 4;
constexpr int kCapacity = 7;

using Whole = tinyml::Rows<std::int8_t, kFeatures, kCapacity>;
using Packed = tinyml::PackedRows<kFeatures, kCapacity>;

/// What is done to a buffer: `count` samples (row by row) are pushed, and after `until` of them
/// those of class `forgotten` are dropped.
struct Pushes {
  const std::int8_t* features;
  const std::uint8_t* labels;
  int count;
  int until;
  std::uint8_t forgotten;
};

/// Whether samples one by one, by their numbers, are those that were written, from some of them on.
template <typename Buffer>
bool same_one_by_one(const Buffer& buffer, const std::int8_t* features, const std::uint8_t* labels,
                     int kept) {
  for (int first = 0; first < kept; ++first) {
    bool same = true;
    for (int number = 0; number < kept; ++number) {
      const int row = (first + number) % kept;
      buffer.visit_one(number, [&](const std::int8_t* sample, std::uint8_t label) {
        same = same && label == labels[row];
        for (int f = 0; f < kFeatures; ++f)
          same = same && sample[f] == features[row * kFeatures + f];
      });
    }
    if (same) return true;
  }
  return kept == 0;
}

/// Does so twice over; then writes what is kept.
template <typename Buffer>
int contents(const Pushes& pushes, std::int8_t* kept_features, std::uint8_t* kept_labels) {
  Buffer buffer;
  int kept = 0;
  for (int round = 0; round < 2; ++round) {  // cleared, it is as new
    buffer.clear();
    for (int i = 0; i < pushes.count; ++i) {
      if (i == pushes.until) buffer.forget(pushes.forgotten);
      buffer.push(pushes.features + i * kFeatures, pushes.labels[i]);
    }
    kept = 0;
    buffer.for_each([&](const std::int8_t* sample, std::uint8_t label) {
      for (int f = 0; f < kFeatures; ++f) kept_features[kept * kFeatures + f] = sample[f];
      kept_labels[kept++] = label;
    });
  }
  const bool good =
      kept == buffer.count() && same_one_by_one(buffer, kept_features, kept_labels, kept);
  return good ? kept : -1;
}

template <typename Rows>
int contents_of(int kind, const Pushes& pushes, std::int8_t* kept_features,
                std::uint8_t* kept_labels) {
  switch (kind) {
    case 0:
      return contents<tinyml::Fifo<Rows>>(pushes, kept_features, kept_labels);
    case 1:
      return contents<tinyml::PerClass<Rows, kClasses>>(pushes, kept_features, kept_labels);
    case 2:
      return contents<tinyml::Reservoir<Rows>>(pushes, kept_features, kept_labels);
    default:
      return contents<tinyml::BalancedReservoir<Rows, kClasses>>(pushes, kept_features,
                                                                 kept_labels);
  }
}

}  // namespace

extern "C" int buffer_contents(int kind, int packed, const std::int8_t* features,
                               const std::uint8_t* labels, int count, int until, int forgotten,
                               std::int8_t* kept_features, std::uint8_t* kept_labels) {
  const Pushes pushes = {features, labels, count, until, static_cast<std::uint8_t>(forgotten)};
  return packed != 0 ? contents_of<Packed>(kind, pushes, kept_features, kept_labels)
                     : contents_of<Whole>(kind, pushes, kept_features, kept_labels);
}
