#include "tinyml/model.hpp"

#include "src/extractor.hpp"
#include "src/head.hpp"

namespace tinyml {

static_assert(is_learner<Learner, Config, Factory>(),
              "runtime/learners/learner.hpp says what it is");
static_assert(Learner::kStateBytes == MemoryPlan::kStateBytes, "the planned state is the real one");
static_assert(sizeof(Model) ==
                  MemoryPlan::kHeadBytes + MemoryPlan::kBufferBytes + MemoryPlan::kLearnerBytes,
              "the planned bytes are the real ones");

void Model::reset() { learner_.reset<Factory>(); }

Model::Pixel* Model::image() { return extractor_input(); }

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

}  // namespace tinyml
