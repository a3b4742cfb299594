#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace rallrec {

// False where one of the values is NaN or infinite.
inline bool all_finite(const float* values, std::size_t count) {
  return std::all_of(values, values + count, [](float value) { return std::isfinite(value); });
}

}  // namespace rallrec
