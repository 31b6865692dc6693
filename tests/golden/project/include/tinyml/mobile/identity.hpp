#pragma once

// Which model this is, and by which interface it is used. Generated.

#include <cstdint>

/// The interface in tinyml/model.hpp, for `#if`: 10000 * major + 100 * minor + patch. A program
/// that was written for one version builds with every later one of the same major number.
#undef TINYML_API_VERSION  // of another project in the same program
#define TINYML_API_VERSION 30200

namespace tinyml {
inline namespace mobile {

/// The major number: what a program must agree about with the model.
constexpr std::uint16_t kApiVersion = TINYML_API_VERSION / 10000;

/// What wrote these files.
constexpr char kGenerator[] = "tinyml-nas 0.1.0";

/// The start of the SHA-256 of the extractor, the first head and the layout of what is learned:
/// what was saved belongs to one model, whatever board it is on and whichever generator wrote
/// it.
constexpr std::uint64_t kModelDigest = 0x6FA47269FF9B0954U;
constexpr std::uint32_t kDigestWords[2] = {static_cast<std::uint32_t>(kModelDigest),
                                           static_cast<std::uint32_t>(kModelDigest >> 32U)};

/// real pixel = kPixelScale * (code - kPixelZeroPoint)
constexpr float kPixelScale = 0.0078125F;
constexpr int kPixelZeroPoint = 0;

/// What learns: the name of its option.
constexpr char kLearnerName[] = "tybox";

/// Names of the classes, each ended by a zero byte; empty when none were given.
// clang-format off
constexpr char kClassNames[] =
    "a" "\0"
    "b" "\0"
    "c" "\0"
    "d" "\0"
    "e" "\0"
    "f" "\0"
    "g" "\0"
    "h" "\0"
    "i" "\0"
    "j" "\0"
    "";
// clang-format on

}  // namespace mobile
}  // namespace tinyml
