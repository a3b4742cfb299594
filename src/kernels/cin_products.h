// The products of a sample's maps and fields, tile by tile, for the CPU path of cin.
#pragma once

#include <cstdint>

#include "kernels/cin.h"

namespace rallrec::kernels::detail {

// Products that are in the cache at once.
constexpr std::int64_t kCinDepth = 256;

// One sample's x0 and x.
struct CinSample {
  const float* x0;
  const float* x;
};

[[gnu::always_inline]] inline CinSample cin_sample(const CinShape& s, const CinInput& in,
                                                   std::int64_t b) {
  return {in.x0 + b * s.fields * s.dim, in.x + b * s.maps_in * s.dim};
}

// Calls visit(row, i, j) for pairs [begin, begin + count), row counting from 0.
template <typename Visit>
[[gnu::always_inline]] inline void for_pairs(const CinShape& s, std::int64_t begin,
                                             std::int64_t count, const Visit& visit) {
  std::int64_t i = begin / s.fields;
  std::int64_t j = begin % s.fields;
  for (std::int64_t row = 0; row < count; ++row) {
    visit(row, i, j);
    if (++j == s.fields) {
      j = 0;
      ++i;
    }
  }
}

}  // namespace rallrec::kernels::detail
