#include "tinyml/model.hpp"

#include "runtime/kernels/quantize.hpp"
#include "src/extractor.hpp"
#include "src/head.hpp"

namespace tinyml {

static_assert(is_learner<Learner, Config, Factory>(),
              "runtime/learners/learner.hpp says what it is");
static_assert(Learner::kStateBytes == MemoryPlan::kStateBytes, "the planned state is the real one");
static_assert(sizeof(Model) ==
                  MemoryPlan::kHeadBytes + MemoryPlan::kBufferBytes + MemoryPlan::kLearnerBytes,
              "the planned bytes are the real ones");

namespace {

// An element of the input from a real number: a code, or the number itself.
[[maybe_unused]] void put_real(float real, std::int8_t& element) {
  quantize(Quantize{1, Config::kInputScale, Config::kInputZeroPoint}, &real, &element);
}
[[maybe_unused]] void put_real(float real, float& element) { element = real; }

// Real numbers, finite ones, to the input; real inputs never come as `Model::None`.
[[maybe_unused]] bool finite(const float* values) {
  return all_within(values, Config::kImageElements, kMostFinite);
}
[[maybe_unused]] bool finite(const Model::None* /*values*/) { return false; }
[[maybe_unused]] Model::Pixel* to_input(const float* values) { return Model::quantize(values); }
[[maybe_unused]] Model::Pixel* to_input(const Model::None* /*values*/) { return Model::image(); }

}  // namespace

void Model::reset() { learner_.reset<Factory>(); }

Model::Pixel* Model::image() { return extractor_input(); }

Model::Pixel Model::quantize(float real) {
  Pixel element;
  put_real(real, element);
  return element;
}

Model::Pixel* Model::quantize(const float* values) {
  Pixel* const input = image();
  for (int i = 0; i < Config::kImageElements; ++i) put_real(values[i], input[i]);
  return input;
}

void Model::extract(const Pixel* image, Feature* features) { tinyml::extract(image, features); }

void Model::logits(const Feature* features, Logits& out) const { learner_.logits(features, out); }

std::uint8_t Model::predict(const Feature* features) const {
  Logits values;
  logits(features, values);
  return largest_of(values);
}

std::uint8_t Model::classify(const Pixel* image) const {
  Feature features[Config::kFeatures];
  extract(image, features);
  return predict(features);
}

std::uint8_t Model::classify(const Values* values) const { return classify(to_input(values)); }

LearnStatus Model::learn(const Feature* features, std::uint8_t label) {
  return learner_.learn(features, label);
}

bool Model::takes_image(const Pixel* image) {
  return all_within(image, Config::kImageElements, kMostFinite);
}

bool Model::takes(const Feature* features) { return Learner::takes(features); }

LearnStatus Model::learn_image(const Pixel* image, std::uint8_t label) {
  if (!takes_image(image)) return LearnStatus::kWrongSample;
  Feature features[Config::kFeatures];
  extract(image, features);
  return learn(features, label);
}

LearnStatus Model::learn_image(const Values* values, std::uint8_t label) {
  if (!finite(values)) return LearnStatus::kWrongSample;
  return learn_image(to_input(values), label);
}

}  // namespace tinyml
