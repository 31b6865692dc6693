#pragma once

#include <cstdint>

#include "runtime/preprocess/frame.hpp"

namespace tinyml {

/// Bits of a position between two pixels, where an image grows. As in codegen.pixels, whose results
/// these are byte by byte.
constexpr int kFractionBits = 7;

/// Which source pixels a target pixel is made of along one axis.
struct Span {
  int centre;
  int first;
  int last;
};

/// One axis of a resize. A pixel's weights are a triangle around its centre: over the two
/// neighbours where the image grows, over all pixels that it covers where it shrinks, so that
/// nothing aliases. `source * side` is less than 2^23, `source * source / side` than 2^21.
class Axis {
 public:
  Axis(int source, int side)
      : source_(source),
        side_(side),
        step_(side < source ? 2 * side : 1 << kFractionBits),
        reach_(side < source ? 2 * source : 1 << kFractionBits) {}

  Span span(int at) const {
    const int centre = side_ < source_ ? (2 * at + 1) * source_ - side_ : between(at);
    const int before = centre - reach_;
    const int first = before < 0 ? 0 : before / step_ + 1;
    const int last = (centre + reach_ - 1) / step_;
    return {centre, first, last < source_ ? last : source_ - 1};
  }

  std::uint32_t weight(const Span& span, int pixel) const {
    const int distance = pixel * step_ - span.centre;
    return static_cast<std::uint32_t>(reach_ - (distance < 0 ? -distance : distance));
  }

 private:
  /// Half-pixel centres in fixed point, held inside the image.
  int between(int at) const {
    const int position = ((2 * at + 1) * source_ * step_ + side_) / (2 * side_) - step_ / 2;
    const int last = (source_ - 1) * step_;
    if (position < 0) return 0;
    return position < last ? position : last;
  }

  int source_;
  int side_;
  int step_;
  int reach_;
};

/// The quotient of a byte's weighted sum and the weights' sum, to nearest; 0 of an empty frame.
inline std::int32_t rounded(std::uint64_t sum, std::uint64_t total) {
  if (total == 0) return 0;
  constexpr std::uint64_t kShort = 1U << 23;  // the sum has 8 bits more, and is doubled
  if (total <= kShort) {
    const auto divisor = static_cast<std::uint32_t>(total);
    return static_cast<std::int32_t>((2 * static_cast<std::uint32_t>(sum) + divisor) /
                                     (2 * divisor));
  }
  return static_cast<std::int32_t>((2 * sum + total) / (2 * total));
}

/// Resizes `frame` to `height` x `width` pixels at `out`, row by row: bilinear, antialiased, every
/// axis by itself, one rounding at the end. Needs no memory beside `out`. `Codes::put(byte,
/// channel, out)` makes an element of the network's input of a byte.
template <PixelFormat kFormat, int kChannels, typename Codes, typename Pixel>
void resize(const Frame& frame, int height, int width, Pixel* out) {
  using Reader = ChannelReader<kFormat, kChannels>;
  const Axis down(frame.height, height);
  const Axis across(frame.width, width);
  for (int y = 0; y < height; ++y) {
    const Span rows = down.span(y);
    for (int x = 0; x < width; ++x) {
      const Span columns = across.span(x);
      std::uint64_t sums[kChannels] = {};
      std::uint64_t total = 0;
      for (int row = rows.first; row <= rows.last; ++row) {
        const std::uint8_t* const at = frame.pixels + row * frame.row_bytes;
        std::uint32_t line[kChannels] = {};
        std::uint32_t weights = 0;
        for (int column = columns.first; column <= columns.last; ++column) {
          std::int32_t pixel[kChannels];
          Reader::read(at, column, pixel);
          const std::uint32_t weight = across.weight(columns, column);
          weights += weight;
          for (int c = 0; c < kChannels; ++c) {
            line[c] += weight * static_cast<std::uint32_t>(pixel[c]);
          }
        }
        const std::uint64_t weight = down.weight(rows, row);
        total += weight * weights;
        for (int c = 0; c < kChannels; ++c) sums[c] += weight * line[c];
      }
      for (int c = 0; c < kChannels; ++c) Codes::put(rounded(sums[c], total), c, *out++);
    }
  }
}

}  // namespace tinyml
