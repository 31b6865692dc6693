// The functions of tinyml/model.h, in terms of tinyml/model.hpp. Generated.
#include <cstdint>
#include <new>

#include "../include/tinyml/mobile/model.h"
#include "../include/tinyml/mobile/model.hpp"
#include "../runtime/preprocess/any_format.hpp"

// clang-format off
using tinyml::Config;
using tinyml::Model;

static_assert(sizeof(Model) <= sizeof(tinyml_mobile_model) && alignof(Model) <= alignof(tinyml_mobile_model),
              "a model fits its storage");

namespace {

Model& of(tinyml_mobile_model* model) { return *std::launder(reinterpret_cast<Model*>(model)); }
const Model& of(const tinyml_mobile_model* model) { return *std::launder(reinterpret_cast<const Model*>(model)); }

}  // namespace

extern "C" {

void tinyml_mobile_init(tinyml_mobile_model* model) { new (model) Model; }
void tinyml_mobile_reset(tinyml_mobile_model* model) { of(model).reset(); }

tinyml_mobile_pixel* tinyml_mobile_image() { return Model::image(); }
std::int32_t tinyml_mobile_load_image(tinyml_mobile_format format, const std::uint8_t* pixels, std::int32_t height,
                                std::int32_t width, std::int32_t row_bytes) {
  using tinyml::PixelFormat;
  return static_cast<std::int32_t>(tinyml::load_any<Model, Config::kImageChannels, tinyml::PixelCodes>(
      static_cast<PixelFormat>(format), {pixels, height, width, row_bytes}));
}
tinyml_mobile_pixel tinyml_mobile_quantize(float real) { return Model::quantize(real); }

std::uint8_t tinyml_mobile_classify(const tinyml_mobile_model* model, const tinyml_mobile_pixel* image) { return of(model).classify(image); }
tinyml_mobile_status tinyml_mobile_learn_image(tinyml_mobile_model* model, const tinyml_mobile_pixel* image, std::uint8_t label) {
  return static_cast<tinyml_mobile_status>(of(model).learn_image(image, label));
}

void tinyml_mobile_extract(const tinyml_mobile_pixel* image, tinyml_mobile_feature* features) { Model::extract(image, features); }
std::uint8_t tinyml_mobile_predict(const tinyml_mobile_model* model, const tinyml_mobile_feature* features) { return of(model).predict(features); }
void tinyml_mobile_logits(const tinyml_mobile_model* model, const tinyml_mobile_feature* features, float* logits) {
  Model::Logits values;
  of(model).logits(features, values);
  for (int i = 0; i < Config::kClasses; ++i) logits[i] = values[i];
}
tinyml_mobile_status tinyml_mobile_learn(tinyml_mobile_model* model, const tinyml_mobile_feature* features, std::uint8_t label) {
  return static_cast<tinyml_mobile_status>(of(model).learn(features, label));
}

std::int32_t tinyml_mobile_buffer_count(const tinyml_mobile_model* model) { return of(model).buffer_count(); }
float tinyml_mobile_knob(const tinyml_mobile_model* model, std::int32_t number) { return of(model).knob(number); }
bool tinyml_mobile_set_knob(tinyml_mobile_model* model, std::int32_t number, float value) { return of(model).set_knob(number, value); }

void* tinyml_mobile_state(tinyml_mobile_model* model) { return of(model).state(); }
bool tinyml_mobile_state_within_limits(const tinyml_mobile_model* model) { return of(model).state_within_limits(); }

}  // extern "C"
// clang-format on
