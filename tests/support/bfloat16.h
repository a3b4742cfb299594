#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/random_floats.h"

namespace rallrec::testing {

// bf16 values as their bits, and what they are as floats.
inline std::vector<std::uint16_t> random_bfloat16(std::int64_t count, std::uint64_t seed) {
  std::vector<std::uint16_t> bits;
  for (const float value : random_floats(count, seed)) {
    bits.push_back(static_cast<std::uint16_t>(__builtin_bit_cast(std::uint32_t, value) >> 16));
  }
  return bits;
}

inline std::vector<float> widened(const std::vector<std::uint16_t>& bits) {
  std::vector<float> values;
  for (const std::uint16_t half : bits) {
    values.push_back(__builtin_bit_cast(float, static_cast<std::uint32_t>(half) << 16));
  }
  return values;
}

}  // namespace rallrec::testing
