// Runs on a computer and on a board: does this build compute what it should?

#include "runtime/buffers/fifo.hpp"
#include "test/golden.hpp"
#include "test/io.hpp"
#include "tinyml/model.hpp"

namespace {

using tinyml::Config;
using tinyml::LearnStatus;
using tinyml::Model;

Model model;
int failures = 0;

void check(bool passed, const char* what) {
  if (passed) return;
  ++failures;
  io::print("FAILED: ");
  io::print(what);
  io::print("\n");
}

const Config::Pixel* image(int i) { return golden::kInputs + i * Config::kImageElements; }
const Config::Feature* features(int i) { return golden::kFeatures + i * Config::kFeatures; }

/// int8 features must be the oracle's own bytes; float sums may be taken in another order.
[[maybe_unused]] bool same(std::int8_t a, std::int8_t b) { return a == b; }
[[maybe_unused]] bool same(float a, float b) {
  const float distance = a > b ? a - b : b - a;
  const float size = b > 0.0F ? b : -b;
  return distance <= 1e-4F + 1e-4F * size;
}

void test_extractor() {
  Config::Feature computed[Config::kFeatures];
  int different = 0;
  for (int i = 0; i < golden::kImages; ++i) {
    Model::extract(image(i), computed);
    for (int f = 0; f < Config::kFeatures; ++f) {
      if (!same(computed[f], features(i)[f])) ++different;
    }
  }
  io::print("features that differ from the oracle's: ");
  io::print(long{different});
  io::print("\n");
  check(different == 0, "features equal the oracle's");
}

/// How far the label's logit is behind the largest other one. It falls with either loss, and unlike
/// probabilities it can be told apart where the head is certain.
float error(const Config::Feature* sample, std::uint8_t label) {
  Model::Logits values;
  model.logits(sample, values);
  float largest = values[label == 0 ? 1 : 0];
  for (int c = 0; c < Config::kClasses; ++c) {
    if (c != label && values[c] > largest) largest = values[c];
  }
  return largest - values[label];
}

void test_learning() {
  model.reset();
  check(model.buffer_count() == 0, "the buffer starts empty");
  const Config::Feature* const sample = features(0);
  const std::uint8_t predicted = model.predict(sample);
  const auto label = static_cast<std::uint8_t>((predicted + 1) % Config::kClasses);
  const float before = error(sample, label);
  for (int i = 0; i < 3; ++i) {
    check(model.learn(sample, label) == LearnStatus::kLearned, "a sample is learned");
  }
  check(error(sample, label) < before, "learning lowers the error");
  check(model.buffer_count() >= (Config::kBufferSamples < 1 ? 0 : 1) &&
            model.buffer_count() <= (Config::kBufferSamples < 3 ? Config::kBufferSamples : 3),
        "the buffer holds what was learned");
  check(
      Config::kClasses == 256 || model.learn(sample, static_cast<std::uint8_t>(Config::kClasses)) ==
                                     LearnStatus::kWrongLabel,
      "a label that is no class is refused");
  for (int i = 0; i < Config::kKnobs; ++i) {
    const tinyml::Knob knob = Config::knob(i);
    check(!model.set_knob(i, 2.0F * knob.most) && model.knob(i) == knob.value,
          "a knob out of its range is refused");
    check(model.set_knob(i, knob.least) && model.knob(i) == knob.least, "a knob is set");
  }
  check(!model.set_knob(Config::kKnobs, 0.0F), "a knob that is not there is refused");
  model.reset();
  check(error(sample, label) == before, "reset brings the first head back");
  check(model.predict(sample) == model.classify(image(0)), "classify extracts, then predicts");
}

void test_buffer() {
  constexpr int kWidth = 3;
  constexpr int kCapacity = 4;
  tinyml::Fifo<tinyml::Rows<Config::Feature, kWidth, kCapacity>> buffer;
  for (int i = 0; i < 2 * kCapacity + 2; ++i) {
    const auto value = static_cast<Config::Feature>(i);
    const Config::Feature sample[kWidth] = {value, value, value};
    buffer.push(sample, static_cast<std::uint8_t>(i));
    int expected = i < kCapacity ? 0 : i - kCapacity + 1;
    buffer.for_each([&expected](const Config::Feature* kept, std::uint8_t label) {
      check(label == expected && same(kept[0], static_cast<Config::Feature>(expected)) &&
                same(kept[kWidth - 1], kept[0]),
            "the buffer is first in, first out");
      ++expected;
    });
    check(expected == i + 1, "the newest sample comes last");
  }
}

}  // namespace

int main() {
  io::paint_stack();
  test_extractor();
  test_learning();
  test_buffer();
  if (io::stack_size() > 0) {
    io::print("stack bytes used: ");
    io::print(static_cast<long>(io::stack_used()));
    io::print(" of ");
    io::print(static_cast<long>(io::stack_size()));
    io::print("\n");
    check(io::stack_used() < io::stack_size(), "the stack suffices");
  }
  io::print(failures == 0 ? "PASS\n" : "FAIL\n");
  return failures == 0 ? 0 : 1;
}
