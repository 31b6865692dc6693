#pragma once

#include "runtime/learners/nearest_mean.hpp"
#include "runtime/learners/packed_columns.hpp"

namespace tinyml {

/// Distances as they are.
template <typename Config>
struct PlainMetric {
  static float apply(float (&sample)[Config::kFeatures]) {
    return dot(sample, sample, Config::kFeatures);
  }
};

/// The nearest class mean (Mensink et al. 2013), with means that forget.
template <typename Config, typename Factory>
using Ncm = NearestMean<Config, Factory, PlainMetric<Config>>;

}  // namespace tinyml
