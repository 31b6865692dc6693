#pragma once

#if defined(__AVR__)
#error "AVR has no C++ library and too little memory: this needs a core of 32 bits"
#elif defined(__cplusplus) && __cplusplus < 201402L
#error "this needs C++14 or later: -std=gnu++17, or gnu++14"
#endif

#include <cstdint>
#include <type_traits>

#include "runtime/learners/learner.hpp"
#include "runtime/preprocess/resize.hpp"
#include "src/config.hpp"
#include "src/learner.hpp"
#include "src/pixels.hpp"
#include "tinyml/identity.hpp"

namespace tinyml {

/// A classifier, of images or of whatever else its network takes, that keeps learning where it
/// runs.
///
/// A frozen extractor turns an image into features; a float head turns features into classes and
/// learns on the device from labelled samples. Nothing is ever allocated: a `Model` holds its head
/// and all that it learns with (see `MemoryPlan`), so give it static storage, one for a device. The
/// extractor's arena is shared by all instances: no two may extract at the same time.
///
///     static tinyml::Model model;
///     std::uint8_t guess = model.classify(image);   // what is it?
///     model.learn_image(image, label);              // it was this
class Model {
 public:
  using Pixel = Config::Pixel;  ///< An input element, as the extractor wants it.
  using Feature =
      Config::Feature;  ///< A feature, as the extractor writes it and the buffer keeps it.
  /// Real numbers; inputs that are real themselves need no other name for them.
  struct None;
  // NOLINTNEXTLINE(modernize-type-traits): in C++14 too, which Arduino compiles
  using Values = std::conditional<std::is_same<Pixel, float>::value, None, float>::type;
  using Logits = float[Config::kClasses];

  Model() { reset(); }

  /// Forgets all that was learned: the head from flash, knobs as configured, an empty buffer.
  void reset();

  /// Where the extractor reads its input: an image written here is not copied, and takes no memory
  /// of its own. Every extraction overwrites it.
  static Pixel* image();

  /// Resizes the raw bytes of a camera's frame into `image()`, antialiased, normalises them as
  /// src/pixels.hpp says that the training did, and gives it back: what `classify` and
  /// `learn_image` then take. A network of one channel takes the gray of colors.
  ///
  ///     const tinyml::Frame frame = {bytes, 120, 160, 160 * 2};
  ///     constexpr auto kFormat = tinyml::PixelFormat::kRgb565;
  ///     model.classify(model.load_image<kFormat>(tinyml::centre_square<kFormat>(frame)));
  template <PixelFormat kFormat>
  static Pixel* load_image(const Frame& frame) {
    static_assert(ChannelReader<kFormat, Config::kImageChannels>::kPossible,
                  "the format has the channels of the network's input, or more than its one");
    static_assert(PixelCodes::kKnown && PixelReader<kFormat>::kBytes > 0,
                  "how the training normalised bytes is not known: generate with --mean and --std");
    resize<kFormat, Config::kImageChannels, PixelCodes>(frame, Config::kImageHeight,
                                                        Config::kImageWidth, image());
    return image();
  }

  /// The element of an input that a real number becomes: a sensor's sample, scaled as for training.
  static Pixel quantize(float real);

  /// Brings kImageElements real numbers to `image()`, and gives it back.
  static Pixel* quantize(const float* values);

  /// Computes `Config::kFeatures` features of one image: kImageHeight x kImageWidth pixels of
  /// kImageChannels elements, row by row.
  static void extract(const Pixel* image, Feature* features);

  /// Scores of all classes, before softmax.
  void logits(const Feature* features, Logits& out) const;

  /// The class with the highest score.
  std::uint8_t predict(const Feature* features) const;

  /// `extract`, then `predict`.
  std::uint8_t classify(const Pixel* image) const;

  /// The same of kImageElements real numbers.
  std::uint8_t classify(const Values* values) const;

  /// Learns from a labelled sample; labels are below kClasses. Nothing is changed unless the
  /// answer is `LearnStatus::kLearned`: a label that is no class is refused, and so is what is not
  /// finite or so large that the head might not stay finite (runtime/learners/limits.hpp).
  LearnStatus learn(const Feature* features, std::uint8_t label);

  /// `extract`, then `learn`. A pixel that is not finite is refused too.
  LearnStatus learn_image(const Pixel* image, std::uint8_t label);
  LearnStatus learn_image(const Values* values, std::uint8_t label);

  /// Whether an image has finite pixels only, and features only that can be learned from: always,
  /// but for floats.
  static bool takes_image(const Pixel* image);
  static bool takes(const Feature* features);

  /// Samples in the buffer, at most `Config::kBufferSamples`.
  int buffer_count() const { return learner_.buffer_count(); }

  /// How it learns, in numbers: `Config::knob(number)` tells each knob's name and range.
  float knob(int number) const { return learner_.knob(number); }
  /// False, and nothing is changed, where there is no such knob or `value` is out of its range.
  bool set_knob(int number, float value) { return learner_.set_knob(number, value); }

  /// The head as it now is: weights (kFeatures, kClasses), row by row, and bias (kClasses).
  const float* weights() const { return static_cast<const float*>(learner_.state()); }
  const float* bias() const { return weights() + Config::kFeatures * Config::kClasses; }

  /// What was learned as one block of `kStateBytes`, for whoever saves it or restores what was
  /// saved: the head first.
  void* state() { return learner_.state(); }
  static constexpr std::size_t kStateBytes = MemoryPlan::kStateBytes;

  /// Whether that is worth keeping: finite, and within `kMostWeight`.
  bool state_within_limits() const { return learner_.state_within_limits(); }

 private:
  Learner learner_;
};

}  // namespace tinyml
