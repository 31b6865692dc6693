#pragma once

// A camera's bytes as elements of the network's input. Generated.

#include <cstdint>

#include "config.hpp"

namespace tinyml {
inline namespace mobile {

/// How the network sees a byte: the README says it in words.
struct PixelCodes {
  static constexpr bool kKnown = true;
  static void put(std::int32_t byte, int /*channel*/, Config::Pixel& out) {
    out = static_cast<Config::Pixel>(byte - 128);
  }
};
}  // namespace mobile
}  // namespace tinyml
