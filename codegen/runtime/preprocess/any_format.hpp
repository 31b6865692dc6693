#pragma once

#include "runtime/preprocess/frame.hpp"

namespace tinyml {

/// What became of a frame whose format is known when the program runs.
enum class LoadStatus : std::int32_t {
  kNormalisationUnknown = -1,  ///< How the training saw a byte was not given to the generator.
  kWrongFormat = 0,            ///< It has too few channels, or there is no such format.
  kLoaded = 1,
};

/// `Model::load_image` in one format.
template <typename Model, PixelFormat kFormat, int kChannels, typename Codes>
LoadStatus load_as(const Frame& frame) {
  if constexpr (!Codes::kKnown) {
    return LoadStatus::kNormalisationUnknown;
  } else if constexpr (ChannelReader<kFormat, kChannels>::kPossible) {
    Model::template load_image<kFormat>(frame);
    return LoadStatus::kLoaded;
  } else {
    return LoadStatus::kWrongFormat;
  }
}

/// `Model::load_image` in any format: for interfaces that have no templates. All are compiled in.
template <typename Model, int kChannels, typename Codes>
LoadStatus load_any(PixelFormat format, const Frame& frame) {
  switch (format) {
    case PixelFormat::kGray8:
      return load_as<Model, PixelFormat::kGray8, kChannels, Codes>(frame);
    case PixelFormat::kRgb888:
      return load_as<Model, PixelFormat::kRgb888, kChannels, Codes>(frame);
    case PixelFormat::kRgb565:
      return load_as<Model, PixelFormat::kRgb565, kChannels, Codes>(frame);
    case PixelFormat::kRgb565Swapped:
      return load_as<Model, PixelFormat::kRgb565Swapped, kChannels, Codes>(frame);
    case PixelFormat::kBgr888:
      return load_as<Model, PixelFormat::kBgr888, kChannels, Codes>(frame);
    case PixelFormat::kYuv422:
      return load_as<Model, PixelFormat::kYuv422, kChannels, Codes>(frame);
    case PixelFormat::kYuv422Swapped:
      return load_as<Model, PixelFormat::kYuv422Swapped, kChannels, Codes>(frame);
  }
  return LoadStatus::kWrongFormat;
}

}  // namespace tinyml
