#pragma once

#include <cstdint>
#include <cstring>

namespace tinyml {

/// What a training step lowers, for softmax probabilities p and the one-hot label y: cross entropy
/// -log p[label], or the squared error |p - y|^2 / 2.
enum class Loss : std::uint8_t { kCrossEntropy, kSquaredError };

/// e^x for x <= 0, to 2 units in the last place.
///
/// Written out in float because libm's version computes in double, which an M4 only emulates, and
/// because this one rounds alike on every machine: host and board then learn the same bits.
inline float exp_nonpositive(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;  // 10 bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4F;
  if (!(x > -87.0F)) return 0.0F;  // e^-87 is the smallest normal float, nearly
  const auto n = static_cast<std::int32_t>(x * kLog2E - 0.5F);
  const auto scale = static_cast<float>(n);
  const float r = (x - scale * kLn2High) - scale * kLn2Low;  // |r| <= ln(2) / 2
  // Minimax polynomial of (e^r - 1 - r) / r^2 (Moshier, Cephes expf).
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float fraction = p * (r * r) + r + 1.0F;
  const std::uint32_t power_bits = static_cast<std::uint32_t>(n + 127) << 23U;
  float power = 0.0F;
  std::memcpy(&power, &power_bits, sizeof(power));
  return fraction * power;
}

/// Turns logits into probabilities, in place. The largest logit is subtracted first, so that no
/// exponential overflows.
template <int kClasses>
void softmax(float (&values)[kClasses]) {
  float largest = values[0];
  for (const float value : values) largest = value > largest ? value : largest;
  float sum = 0.0F;
  for (float& value : values) {
    value = exp_nonpositive(value - largest);
    sum += value;
  }
  const float inverse = 1.0F / sum;  // the largest logit alone contributes 1
  for (float& value : values) value *= inverse;
}

/// Turns probabilities p into the gradient of the loss in the logits, in place.
///
/// Cross entropy: p - y. Squared error: with g = p - y and the softmax Jacobian dp[k]/dz[c] = p[k]
/// ([k = c] - p[c]), it is p[c] (g[c] - sum_k p[k] g[k]).
template <Loss kLoss, int kClasses>
void logit_gradient(float (&values)[kClasses], std::uint8_t label) {
  if constexpr (kLoss == Loss::kCrossEntropy) {
    values[label] -= 1.0F;
  } else {
    float mean = -values[label];  // sum_k p[k] (p[k] - y[k])
    for (const float p : values) mean += p * p;
    for (int c = 0; c < kClasses; ++c) {
      const float target = c == label ? 1.0F : 0.0F;
      values[c] *= (values[c] - target) - mean;
    }
  }
}

}  // namespace tinyml
