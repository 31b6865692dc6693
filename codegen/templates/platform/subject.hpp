#pragma once

#include <cstdint>

#include "runtime/learners/softmax.hpp"
#include "tinyml/model.hpp"

namespace tinyml {

/// What MLPerf Tiny's runner measures: an image to its classes, with the head as it was generated.
class Subject {
 public:
  using Element = Model::Pixel;
  static constexpr int kElements = Config::kImageElements;
  static constexpr int kResults = Config::kClasses;
  static constexpr bool kTakesBytes = PixelCodes::kKnown;

  /// Element `number` of the input, from a byte of an image or from a real number.
  static Element of_byte(std::uint8_t byte, int number) {
    Element element = 0;
    PixelCodes::put(byte, number % Config::kImageChannels, element);
    return element;
  }
  static Element of_real(float real) { return Model::quantize(real); }

  void infer(const Element* input) {
    Model::extract(input, features_);
    model_.logits(features_, logits_);
  }

  /// Probabilities of the classes, of the last inference.
  void results(float (&out)[kResults]) const {
    for (int i = 0; i < kResults; ++i) out[i] = logits_[i];
    softmax(out);
  }

 private:
  Model model_;
  Config::Feature features_[Config::kFeatures] = {};
  Model::Logits logits_ = {};
};

}  // namespace tinyml
