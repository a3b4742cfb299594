#pragma once

#include <cstdint>
#include <cstring>

namespace rallrec::kernels {

// bf16 as its 16 bits, on the host. Rounds to nearest, ties to even; NaN stays NaN.
inline std::uint16_t rounded_to_bfloat16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return 0x7FFF;
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

inline float widened_bfloat16(std::uint16_t half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace rallrec::kernels
