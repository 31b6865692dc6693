#pragma once

#include "runtime/learners/nearest_mean.hpp"
#include "runtime/learners/ud_factor.hpp"

namespace tinyml {

/// Distances in the space that the factory's covariance whitens; its inverse is a packed triangle
/// in flash (`Factory::precision`).
template <typename Config, typename Factory>
struct FactoryMetric {
  static float apply(float (&sample)[Config::kFeatures]) {
    using Triangle = UdFactor<Config::kFeatures>;
    const float square = Triangle::project(Factory::precision(), sample);
    Triangle::expand(Factory::precision(), sample);
    return square;
  }
};

/// Linear discriminant analysis with a covariance that the factory measured: class means, which
/// forget, in the space that it whitens (as Embedded-CL, arXiv 2203.10681, without learning it).
template <typename Config, typename Factory>
using Lda = NearestMean<Config, Factory, FactoryMetric<Config, Factory>>;

}  // namespace tinyml
