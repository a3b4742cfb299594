#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::models::llm {

// Some panels of an int8 layer (int8_layer_layout.h) and their scales, in host memory.
struct Int8Panels {
  std::vector<std::int8_t> bytes;
  std::vector<float> scales;
};

}  // namespace rallrec::models::llm
