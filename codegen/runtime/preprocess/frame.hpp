#pragma once

#include <cstdint>

namespace tinyml {

/// How a camera lays out a pixel in memory.
enum class PixelFormat {
  kGray8,          ///< One byte.
  kRgb888,         ///< Three bytes: red, green, blue.
  kRgb565,         ///< Two bytes, the low one first: blue in bits 0 to 4, green, red.
  kRgb565Swapped,  ///< The same, the high byte first, as most cameras with a parallel port send it.
  kBgr888,         ///< Three bytes: blue, green, red.
  kYuv422,  ///< YUYV, four bytes for two pixels: luma, blue difference, luma, red difference.
  kYuv422Swapped,  ///< UYVY: the same, each difference in front of its luma.
};

/// An image, or a part of one, as its raw bytes: row `y` starts at `pixels + y * row_bytes`.
struct Frame {
  const std::uint8_t* pixels;
  int height;
  int width;
  int row_bytes;
};

/// Reads pixel `column` of a row, as red, green and blue.
template <PixelFormat kFormat>
struct PixelReader;

template <>
struct PixelReader<PixelFormat::kGray8> {
  static constexpr int kBytes = 1;
  static constexpr int kChannels = 1;
  static void read(const std::uint8_t* row, int column, std::int32_t (&out)[kChannels]) {
    out[0] = row[column];
  }
};

/// Three bytes, the red one at `kRed`.
template <int kRed>
struct ThreeBytes {
  static constexpr int kBytes = 3;
  static constexpr int kChannels = 3;
  static void read(const std::uint8_t* row, int column, std::int32_t (&out)[kChannels]) {
    const std::uint8_t* const at = row + column * kBytes;
    out[0] = at[kRed];
    out[1] = at[1];
    out[2] = at[2 - kRed];
  }
};

template <>
struct PixelReader<PixelFormat::kRgb888> : ThreeBytes<0> {};
template <>
struct PixelReader<PixelFormat::kBgr888> : ThreeBytes<2> {};

/// Five and six bits become eight by repeating the highest ones, so that white stays white.
template <int kLow>
struct Rgb565 {
  static constexpr int kBytes = 2;
  static constexpr int kChannels = 3;
  static void read(const std::uint8_t* row, int column, std::int32_t (&out)[kChannels]) {
    const std::uint8_t* const at = row + column * kBytes;
    const std::int32_t packed = at[kLow] | (at[1 - kLow] << 8);
    const std::int32_t red = packed >> 11;
    const std::int32_t green = (packed >> 5) & 63;
    const std::int32_t blue = packed & 31;
    out[0] = (red << 3) | (red >> 2);
    out[1] = (green << 2) | (green >> 4);
    out[2] = (blue << 3) | (blue >> 2);
  }
};

template <>
struct PixelReader<PixelFormat::kRgb565> : Rgb565<0> {};
template <>
struct PixelReader<PixelFormat::kRgb565Swapped> : Rgb565<1> {};

/// ITU-R BT.601 over the full range of a byte, as JPEG has it, in 16 bits of fraction. A row begins
/// with the first of two pixels that share their differences.
template <int kLuma>
struct Yuv422 {
  static constexpr int kBytes = 2;
  static constexpr int kChannels = 3;
  static void read(const std::uint8_t* row, int column, std::int32_t (&out)[kChannels]) {
    const std::int32_t luma = row[column * kBytes + kLuma] * 65536 + 32768;
    const std::uint8_t* const pair = row + column / 2 * 4 + (1 - kLuma);
    const std::int32_t blue = pair[0] - 128;
    const std::int32_t red = pair[2] - 128;
    out[0] = byte(luma + 91881 * red);
    out[1] = byte(luma - 22554 * blue - 46802 * red);
    out[2] = byte(luma + 116130 * blue);
  }

 private:
  static std::int32_t byte(std::int32_t value) {
    if (value < 0) return 0;
    return value < (256 << 16) ? value >> 16 : 255;
  }
};

template <>
struct PixelReader<PixelFormat::kYuv422> : Yuv422<0> {};
template <>
struct PixelReader<PixelFormat::kYuv422Swapped> : Yuv422<1> {};

/// The same in the channels that a network takes: gray of red, green and blue is their luma in
/// ITU-R BT.601, in 8 bits of fraction.
template <PixelFormat kFormat, int kChannels>
struct ChannelReader {
  using Reader = PixelReader<kFormat>;
  static constexpr bool kPossible = kChannels == Reader::kChannels || kChannels == 1;
  static void read(const std::uint8_t* row, int column, std::int32_t (&out)[kChannels]) {
    convert(row, column, out);
  }

 private:
  static void convert(const std::uint8_t* row, int column, std::int32_t (&out)[Reader::kChannels]) {
    Reader::read(row, column, out);
  }
  template <int kOne>
  static void convert(const std::uint8_t* row, int column, std::int32_t (&out)[kOne]) {
    std::int32_t color[3];
    Reader::read(row, column, color);
    out[0] = (77 * color[0] + 150 * color[1] + 29 * color[2] + 128) >> 8;
  }
};

/// The largest square in the middle of a frame: what networks that were trained on square images
/// want of a camera's.
template <PixelFormat kFormat>
Frame centre_square(const Frame& frame) {
  const int side = frame.height < frame.width ? frame.height : frame.width;
  const int top = (frame.height - side) / 2;
  const int left = (frame.width - side) / 4 * 2 * PixelReader<kFormat>::kBytes;  // a whole pair
  return {frame.pixels + top * frame.row_bytes + left, side, side, frame.row_bytes};
}

}  // namespace tinyml
