// The learner's parts behind a C interface, for tests/codegen/runtime/test_learner.py.

#include "runtime/buffers/fifo.hpp"
#include "runtime/learners/softmax.hpp"

namespace {

constexpr int kFeatures = 3;
constexpr int kClasses = 4;

/// Pushes `count` samples (row by row), then writes the buffer's content, oldest first.
template <typename Feature, int kCapacity>
int contents(const Feature* features, const std::uint8_t* labels, int count, Feature* kept_features,
             std::uint8_t* kept_labels) {
  using Buffer = tinyml::Fifo<tinyml::Rows<Feature, kFeatures, kCapacity>>;
  // Exactly features and label for each sample; two integers, and padding to their alignment.
  constexpr int kExact = kCapacity * (kFeatures * static_cast<int>(sizeof(Feature)) + 1) + 8;
  static_assert(sizeof(Buffer) >= kExact && sizeof(Buffer) < kExact + 4);
  Buffer buffer;
  for (int i = 0; i < count; ++i) buffer.push(features + i * kFeatures, labels[i]);
  int kept = 0;
  buffer.for_each([&](const Feature* sample, std::uint8_t label) {
    for (int f = 0; f < kFeatures; ++f) kept_features[kept * kFeatures + f] = sample[f];
    kept_labels[kept++] = label;
  });
  return kept == buffer.count() ? kept : -1;
}

}  // namespace

extern "C" {

int buffer_contents(int capacity, const std::int8_t* features, const std::uint8_t* labels,
                    int count, std::int8_t* kept_features, std::uint8_t* kept_labels) {
  switch (capacity) {
    case 1:
      return contents<std::int8_t, 1>(features, labels, count, kept_features, kept_labels);
    case 2:
      return contents<std::int8_t, 2>(features, labels, count, kept_features, kept_labels);
    case 7:
      return contents<std::int8_t, 7>(features, labels, count, kept_features, kept_labels);
    default:
      return -1;
  }
}

int float_buffer_contents(const float* features, const std::uint8_t* labels, int count,
                          float* kept_features, std::uint8_t* kept_labels) {
  return contents<float, 7>(features, labels, count, kept_features, kept_labels);
}

void exp_nonpositive(const float* x, int count, float* out) {
  for (int i = 0; i < count; ++i) out[i] = tinyml::exp_nonpositive(x[i]);
}

void softmax(float* values) { tinyml::softmax(*reinterpret_cast<float (*)[kClasses]>(values)); }

void logit_gradient(int squared_error, float* values, std::uint8_t label) {
  auto& row = *reinterpret_cast<float (*)[kClasses]>(values);
  if (squared_error != 0) {
    tinyml::logit_gradient<tinyml::Loss::kSquaredError>(row, label);
  } else {
    tinyml::logit_gradient<tinyml::Loss::kCrossEntropy>(row, label);
  }
}

}  // extern "C"
