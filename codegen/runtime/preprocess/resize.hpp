#pragma once

#include <cstdint>

#include "runtime/preprocess/frame.hpp"

namespace tinyml {

/// Bits of an interpolation weight, as in codegen.pixels, whose results these are byte by byte.
constexpr int kFractionBits = 7;

/// The two neighbours of a target pixel along one axis, and the second one's weight.
struct Tap {
  int low;
  int high;
  std::int32_t weight;
};

/// Half-pixel centres in fixed point, held inside the image. `source * side` is less than 2^23.
inline Tap tap(int at, int source, int side) {
  constexpr int kOne = 1 << kFractionBits;
  int position = ((2 * at + 1) * source * kOne + side) / (2 * side) - kOne / 2;
  const int last = (source - 1) * kOne;
  position = position < 0 ? 0 : position;
  position = position < last ? position : last;
  const int low = position / kOne;
  return {low, low + 1 < source ? low + 1 : low, position % kOne};
}

/// A network's input from a byte. The code is byte - 128, which is exact for networks that see
/// (byte - 128) / 128 (scale 1/128, zero point 0) or byte / 255 (scale 1/255, zero point -128);
/// without quantization it is the former.
inline void put(std::int32_t byte, std::int8_t& out) { out = static_cast<std::int8_t>(byte - 128); }
inline void put(std::int32_t byte, float& out) {
  out = static_cast<float>(byte - 128) * (1.0F / 128.0F);
}

/// Resizes `frame` to `height` x `width` pixels at `out`, row by row: bilinear, every axis by
/// itself, one rounding at the end. Needs no memory beside `out`.
template <PixelFormat kFormat, typename Pixel>
void resize(const Frame& frame, int height, int width, Pixel* out) {
  using Reader = PixelReader<kFormat>;
  constexpr int kOne = 1 << kFractionBits;
  constexpr std::int32_t kHalf = 1 << (2 * kFractionBits - 1);
  for (int y = 0; y < height; ++y) {
    const Tap row = tap(y, frame.height, height);
    const std::uint8_t* const rows[2] = {frame.pixels + row.low * frame.row_bytes,
                                         frame.pixels + row.high * frame.row_bytes};
    const std::int32_t row_weights[2] = {kOne - row.weight, row.weight};
    for (int x = 0; x < width; ++x) {
      const Tap column = tap(x, frame.width, width);
      std::int32_t sums[Reader::kChannels] = {};
      for (int i = 0; i < 2; ++i) {
        std::int32_t left[Reader::kChannels];
        std::int32_t right[Reader::kChannels];
        Reader::read(rows[i] + column.low * Reader::kBytes, left);
        Reader::read(rows[i] + column.high * Reader::kBytes, right);
        for (int c = 0; c < Reader::kChannels; ++c) {
          const std::int32_t blend = left[c] * (kOne - column.weight) + right[c] * column.weight;
          sums[c] += row_weights[i] * blend;
        }
      }
      for (const std::int32_t sum : sums) put((sum + kHalf) >> (2 * kFractionBits), *out++);
    }
  }
}

}  // namespace tinyml
