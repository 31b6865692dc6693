#pragma once

// What learns in this program. Generated.

#include "../runtime/buffers/fifo.hpp"
#include "../runtime/learners/tybox.hpp"
#include "config.hpp"
#include "head.hpp"

namespace tinyml {
inline namespace mobile {

// clang-format off
using Learner = Tybox<Config, Fifo<Rows<Config::Feature, Config::kFeatures, Config::kBufferSamples>>>;
// clang-format on

}  // namespace mobile
}  // namespace tinyml
