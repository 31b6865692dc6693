// Feeds samples from the file stream.in to the model and writes what it did to stream.out, so that
// a board (or its emulator) can be compared with the host byte by byte.
//
// stream.in: int32 count, then for each sample the image and one byte, its label, or 255 (then the
// sample is only classified).
// stream.out: for each sample the features and one byte, the class predicted before learning; then
// what was learned, in float32: weights (features, classes), bias, and what else the learner saves.

#include "test/io.hpp"
#include "tinyml/model.hpp"

namespace {

using tinyml::Config;

constexpr std::uint8_t kNoLabel = 255;

struct Sample {
  Config::Pixel image[Config::kImageElements];
  std::uint8_t label;
};

tinyml::Model model;
[[gnu::section(".test_bss")]] Sample sample;
[[gnu::section(".test_bss")]] Config::Feature features[Config::kFeatures];

bool run(int in, int out) {
  std::int32_t count = 0;
  if (!io::read(in, &count, sizeof(count))) return false;
  for (std::int32_t i = 0; i < count; ++i) {
    if (!io::read(in, sample.image, sizeof(sample.image))) return false;
    if (!io::read(in, &sample.label, 1)) return false;
    tinyml::Model::extract(sample.image, features);
    const std::uint8_t prediction = model.predict(features);
    if (sample.label != kNoLabel &&
        model.learn(features, sample.label) != tinyml::LearnStatus::kLearned) {
      return false;
    }
    if (!io::write(out, features, sizeof(features))) return false;
    if (!io::write(out, &prediction, 1)) return false;
  }
  return io::write(out, model.state(), tinyml::Model::kStateBytes);
}

}  // namespace

int main() {
  io::paint_stack();
  const int in = io::open_to_read("stream.in");
  const int out = io::open_to_write("stream.out");
  if (in < 0 || out < 0) {
    io::print("cannot open stream.in and stream.out\n");
    return 2;
  }
  const bool complete = run(in, out);
  io::close(in);
  io::close(out);
  if (!complete) io::print("stream.in ended early, or holds a sample that is refused\n");
  io::print("stack bytes used: ");
  io::print(static_cast<long>(io::stack_used()));
  io::print("\n");
  return complete ? 0 : 1;
}
