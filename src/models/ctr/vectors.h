// Small things that the models share.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace rallrec::models::ctr {

// Fresh room for `count` values; their content is unspecified.
inline float* room(std::vector<float>& values, std::int64_t count) {
  if (values.size() < static_cast<std::size_t>(count)) {
    values.resize(static_cast<std::size_t>(count));
  }
  return values.data();
}

inline void add_to(float* sum, const float* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    sum[i] += values[i];
  }
}

// Normal values of variance 2 / (inputs + outputs) (Glorot & Bengio 2010).
inline void fill_weights(Rng& rng, std::int64_t inputs, std::int64_t outputs, std::int64_t count,
                         float* weights) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(inputs + outputs));
  for (std::int64_t i = 0; i < count; ++i) {
    weights[i] = static_cast<float>(deviation * rng.next_normal());
  }
}

}  // namespace rallrec::models::ctr
