#ifndef TINYML_MOBILE_MODEL_H
#define TINYML_MOBILE_MODEL_H

/* The model for programs in C, of C11 and later: what tinyml/model.hpp has for C++. Link the target
   tinyml::mobile_c. Generated.

       static tinyml_mobile_model model;
       tinyml_mobile_init(&model);
       uint8_t guess = tinyml_mobile_classify(&model, image);
       tinyml_mobile_learn_image(&model, image, label);

   Nothing is allocated. All models share the extractor's arena: only one call may be in progress. */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  TINYML_MOBILE_HEIGHT = 32,
  TINYML_MOBILE_WIDTH = 32,
  TINYML_MOBILE_CHANNELS = 3,
  TINYML_MOBILE_FEATURES = 46,
  TINYML_MOBILE_CLASSES = 10,
  TINYML_MOBILE_KNOBS = 1,
  TINYML_MOBILE_STATE_BYTES = 1880,
  TINYML_MOBILE_MODEL_BYTES = 2232
};

typedef int8_t tinyml_mobile_pixel;
typedef int8_t tinyml_mobile_feature;

/* One model, with all that it learns: give it static storage, and to tinyml_mobile_init first. */
typedef struct {
  uint64_t storage[(TINYML_MOBILE_MODEL_BYTES + 7) / 8];
} tinyml_mobile_model;

/* What became of a sample. Unless it was learned, nothing has changed. */
typedef enum {
  TINYML_MOBILE_LEARNED = 0,
  TINYML_MOBILE_WRONG_LABEL = 1,  /* no class */
  TINYML_MOBILE_WRONG_SAMPLE = 2, /* not finite, or too large */
  TINYML_MOBILE_WRONG_HEAD = 3    /* was overwritten by something that is not finite */
} tinyml_mobile_status;

/* How a camera lays out a pixel: runtime/preprocess/frame.hpp describes them. */
typedef enum {
  TINYML_MOBILE_GRAY8,
  TINYML_MOBILE_RGB888,
  TINYML_MOBILE_RGB565,
  TINYML_MOBILE_RGB565_SWAPPED,
  TINYML_MOBILE_BGR888,
  TINYML_MOBILE_YUV422,
  TINYML_MOBILE_YUV422_SWAPPED
} tinyml_mobile_format;

/* Makes a model of the storage. reset forgets what was learned. */
void tinyml_mobile_init(tinyml_mobile_model* model);
void tinyml_mobile_reset(tinyml_mobile_model* model);

/* Where the extractor reads its input: what is written there is not copied. */
tinyml_mobile_pixel* tinyml_mobile_image(void);

/* Resizes a camera's frame to there: 1 when done, 0 when the network does not take the format, -1
   when it is not known how the training saw a byte. */
int32_t tinyml_mobile_load_image(tinyml_mobile_format format, const uint8_t* pixels, int32_t height, int32_t width,
    int32_t row_bytes);

/* The element of the input that a real number becomes. */
tinyml_mobile_pixel tinyml_mobile_quantize(float real);

uint8_t tinyml_mobile_classify(const tinyml_mobile_model* model, const tinyml_mobile_pixel* image);
tinyml_mobile_status tinyml_mobile_learn_image(tinyml_mobile_model* model, const tinyml_mobile_pixel* image, uint8_t label);

/* The same in two steps: features first. */
void tinyml_mobile_extract(const tinyml_mobile_pixel* image, tinyml_mobile_feature* features);
uint8_t tinyml_mobile_predict(const tinyml_mobile_model* model, const tinyml_mobile_feature* features);
void tinyml_mobile_logits(const tinyml_mobile_model* model, const tinyml_mobile_feature* features,
    float logits[TINYML_MOBILE_CLASSES]);
tinyml_mobile_status tinyml_mobile_learn(tinyml_mobile_model* model, const tinyml_mobile_feature* features, uint8_t label);

int32_t tinyml_mobile_buffer_count(const tinyml_mobile_model* model);
float tinyml_mobile_knob(const tinyml_mobile_model* model, int32_t number);
bool tinyml_mobile_set_knob(tinyml_mobile_model* model, int32_t number, float value);

/* What was learned, TINYML_MOBILE_STATE_BYTES of it, to be saved and restored; and whether it is worth that. */
void* tinyml_mobile_state(tinyml_mobile_model* model);
bool tinyml_mobile_state_within_limits(const tinyml_mobile_model* model);

#ifdef __cplusplus
}
#endif

#endif
