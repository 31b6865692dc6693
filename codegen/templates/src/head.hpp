#pragma once

#include "src/config.hpp"

namespace tinyml {

/// The head as it was trained on the host, in flash: weights (kFeatures, kClasses), row by row.
extern const float kInitialWeights[Config::kFeatures * Config::kClasses];
extern const float kInitialBias[Config::kClasses];

}  // namespace tinyml
