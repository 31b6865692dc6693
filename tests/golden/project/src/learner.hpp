#pragma once

// What learns in this program. Generated.

#include "runtime/buffers/fifo.hpp"
#include "runtime/learners/tybox.hpp"
#include "src/config.hpp"
#include "src/head.hpp"

namespace tinyml {

// clang-format off
using Learner = Tybox<Config, Fifo<Rows<Config::Feature, Config::kFeatures, Config::kBufferSamples>>>;
// clang-format on

}  // namespace tinyml
