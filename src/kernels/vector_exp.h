#pragma once

#include <cstdint>

namespace rallrec::kernels {

// e^x with a relative error below 3e-7 for x in [-87, 88]; arguments outside are clamped to that
// range, so the result is never zero, infinite or denormal. Free of branches and calls: a loop over
// it vectorises (std::exp does not without relaxed arithmetic). Cody-Waite reduction and the
// polynomial of the Cephes library's expf.
[[gnu::always_inline]] inline float vector_exp(float x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float n = (x * kLog2E + kRound) - kRound;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const std::int32_t power = (static_cast<std::int32_t>(n) + 127) << 23;
  return p * __builtin_bit_cast(float, power);
}

}  // namespace rallrec::kernels
