#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

struct RopeArguments {
  std::int64_t heads;
  std::int64_t head_dim;
  const std::int64_t* positions;
  const float* cosines;
  const float* sines;
  float sign;  // of the angle
  float* x;
};

// Tokens [begin, end).
void rope_cpu(const RopeArguments& arguments, std::int64_t begin, std::int64_t end);

}  // namespace rallrec::kernels::detail
