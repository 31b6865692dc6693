// The extractor: an image to the features that the head reads. Generated for mobile.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyml {
inline namespace mobile {

// Runs the network. `image` holds 1x32x32x3 and `features` 1x46 elements; they may
// be anywhere, and `image` may be `extractor_input()`, which saves a copy.
void extract(const std::int8_t* image, std::int8_t* features);

// Where the network reads its input from. It is overwritten by the run.
std::int8_t* extractor_input();

}  // namespace mobile
}  // namespace tinyml
