#pragma once

#include <cstdint>

namespace tinyml {

/// How a camera lays out a pixel in memory.
enum class PixelFormat {
  kGray8,          ///< One byte.
  kRgb888,         ///< Three bytes: red, green, blue.
  kRgb565,         ///< Two bytes, the low one first: blue in bits 0 to 4, green, red.
  kRgb565Swapped,  ///< The same, the high byte first, as most cameras with a parallel port send it.
};

/// An image, or a part of one, as its raw bytes: row `y` starts at `pixels + y * row_bytes`.
struct Frame {
  const std::uint8_t* pixels;
  int height;
  int width;
  int row_bytes;
};

template <PixelFormat kFormat>
struct PixelReader;

template <>
struct PixelReader<PixelFormat::kGray8> {
  static constexpr int kBytes = 1;
  static constexpr int kChannels = 1;
  static void read(const std::uint8_t* at, std::int32_t (&out)[kChannels]) { out[0] = at[0]; }
};

template <>
struct PixelReader<PixelFormat::kRgb888> {
  static constexpr int kBytes = 3;
  static constexpr int kChannels = 3;
  static void read(const std::uint8_t* at, std::int32_t (&out)[kChannels]) {
    for (int c = 0; c < kChannels; ++c) out[c] = at[c];
  }
};

/// Five and six bits become eight by repeating the highest ones, so that white stays white.
struct Rgb565 {
  static constexpr int kBytes = 2;
  static constexpr int kChannels = 3;
  static void split(std::int32_t packed, std::int32_t (&out)[kChannels]) {
    const std::int32_t red = packed >> 11;
    const std::int32_t green = (packed >> 5) & 63;
    const std::int32_t blue = packed & 31;
    out[0] = (red << 3) | (red >> 2);
    out[1] = (green << 2) | (green >> 4);
    out[2] = (blue << 3) | (blue >> 2);
  }
};

template <>
struct PixelReader<PixelFormat::kRgb565> : Rgb565 {
  static void read(const std::uint8_t* at, std::int32_t (&out)[kChannels]) {
    split(at[0] | (at[1] << 8), out);
  }
};

template <>
struct PixelReader<PixelFormat::kRgb565Swapped> : Rgb565 {
  static void read(const std::uint8_t* at, std::int32_t (&out)[kChannels]) {
    split((at[0] << 8) | at[1], out);
  }
};

/// The largest square in the middle of a frame: what networks that were trained on square images
/// want of a camera's.
template <PixelFormat kFormat>
Frame centre_square(const Frame& frame) {
  const int side = frame.height < frame.width ? frame.height : frame.width;
  const int top = (frame.height - side) / 2;
  const int left = (frame.width - side) / 2 * PixelReader<kFormat>::kBytes;
  return {frame.pixels + top * frame.row_bytes + left, side, side, frame.row_bytes};
}

}  // namespace tinyml
