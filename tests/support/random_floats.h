#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace rallrec::testing {

// `count` standard normal values times `scale`, a pure function of the seed.
inline std::vector<float> random_floats(std::int64_t count, std::uint64_t seed,
                                        float scale = 1.0f) {
  Rng rng(seed, 0x7e57);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = scale * static_cast<float>(rng.next_normal());
  }
  return values;
}

}  // namespace rallrec::testing
