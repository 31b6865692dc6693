// The model behind a C interface, for codegen.toolchain.host. The caller owns each model's storage
// (`model_bytes` of `tinyml_describe`), so that one library serves many models; all of them share
// the extractor's arena, so only one call may be in progress at a time.

#include <new>

#include "runtime/preprocess/any_format.hpp"
#include "tinyml/model.hpp"

using tinyml::Config;
using tinyml::Frame;
using tinyml::Model;
using tinyml::PixelFormat;

extern "C" {

/// What the caller must know; all members are 32 bits wide.
struct Description {
  std::int32_t model_bytes;
  std::int32_t image_height;
  std::int32_t image_width;
  std::int32_t image_channels;
  std::int32_t features;
  std::int32_t classes;
  std::int32_t buffer_samples;
  std::int32_t state_bytes;
  std::int32_t knobs;
  std::int32_t float_pixels;
  std::int32_t float_features;
};

void tinyml_describe(Description* out) {
  *out = {static_cast<std::int32_t>(sizeof(Model)),
          Config::kImageHeight,
          Config::kImageWidth,
          Config::kImageChannels,
          Config::kFeatures,
          Config::kClasses,
          Config::kBufferSamples,
          static_cast<std::int32_t>(Model::kStateBytes),
          Config::kKnobs,
          sizeof(Config::Pixel) == sizeof(float) ? 1 : 0,
          sizeof(Config::Feature) == sizeof(float) ? 1 : 0};
}

void tinyml_create(void* storage) { new (storage) Model; }

void tinyml_reset(Model* model) { model->reset(); }

/// Resizes a frame to the network's input; a `LoadStatus`.
std::int32_t tinyml_load_image(std::int32_t format, const std::uint8_t* pixels, std::int32_t height,
                               std::int32_t width, std::int32_t row_bytes, Config::Pixel* out) {
  const Frame frame = {pixels, height, width, row_bytes};
  const tinyml::LoadStatus done =
      tinyml::load_any<Model, Config::kImageChannels, tinyml::PixelCodes>(
          static_cast<PixelFormat>(format), frame);
  if (done == tinyml::LoadStatus::kLoaded) {
    const Config::Pixel* const image = Model::image();
    for (int i = 0; i < Config::kImageElements; ++i) out[i] = image[i];
  }
  return static_cast<std::int32_t>(done);
}

void tinyml_features(const Config::Pixel* images, std::int32_t count, Config::Feature* out) {
  for (std::int32_t i = 0; i < count; ++i) {
    Model::extract(images, out);
    images += Config::kImageElements;
    out += Config::kFeatures;
  }
}

void tinyml_logits(const Model* model, const Config::Feature* features, std::int32_t count,
                   float (*out)[Config::kClasses]) {
  for (std::int32_t i = 0; i < count; ++i) model->logits(features + i * Config::kFeatures, out[i]);
}

void tinyml_predict(const Model* model, const Config::Feature* features, std::int32_t count,
                    std::uint8_t* out) {
  for (std::int32_t i = 0; i < count; ++i)
    out[i] = model->predict(features + i * Config::kFeatures);
}

/// A `LearnStatus`; 0 when learned.
std::int32_t tinyml_learn(Model* model, const Config::Feature* features, std::uint8_t label) {
  return static_cast<std::int32_t>(model->learn(features, label));
}

const char* tinyml_knob_name(std::int32_t number) { return Config::knob(number).name; }
float tinyml_knob_least(std::int32_t number) { return Config::knob(number).least; }
float tinyml_knob_most(std::int32_t number) { return Config::knob(number).most; }
float tinyml_knob(const Model* model, std::int32_t number) { return model->knob(number); }
/// 1 when set, 0 when there is no such knob or `value` is out of its range.
std::int32_t tinyml_set_knob(Model* model, std::int32_t number, float value) {
  return model->set_knob(number, value) ? 1 : 0;
}
std::int32_t tinyml_buffer_count(const Model* model) { return model->buffer_count(); }
/// What was learned as one block of `Model::kStateBytes`, to be read or overwritten: weights, bias,
/// and what else the learner saves.
void* tinyml_state(Model* model) { return model->state(); }

}  // extern "C"
