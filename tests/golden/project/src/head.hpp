#pragma once

// What the learner starts from, in flash. Generated.

#include <cstddef>

#include "config.hpp"

namespace tinyml {
inline namespace mobile {

/// The head as it was trained on the host: weights (kFeatures, kClasses), row by row.
extern const float kInitialWeights[Config::kFeatures * Config::kClasses];
extern const float kInitialBias[Config::kClasses];
/// The same, as the learner asks for it.
struct Factory {
  static const float* weights() { return kInitialWeights; }
  static const float* bias() { return kInitialBias; }
};

}  // namespace mobile
}  // namespace tinyml
