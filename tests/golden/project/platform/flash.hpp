#pragma once

// The flash driver in which the firmware saves the head. Generated.

#include "runtime/storage/flash.hpp"
#include "src/config.hpp"

namespace tinyml {
inline namespace mobile {

/// As on the board, so on the emulated one: no driver, nothing is saved.
using BoardFlash = NoFlash;
}  // namespace mobile
}  // namespace tinyml
