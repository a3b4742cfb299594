#pragma once

#include <cstdint>

#include "kernels/fm_interaction.h"

namespace rallrec::kernels::detail {

struct FmArguments {
  FmShape shape;
  const float* v;
  float* y;
};

struct FmBackwardArguments {
  FmShape shape;
  const float* v;
  const float* dy;
  float* dv;
};

// Samples [begin, end).
void fm_interaction_cpu(const FmArguments& arguments, std::int64_t begin, std::int64_t end);
void fm_interaction_backward_cpu(const FmBackwardArguments& arguments, std::int64_t begin,
                                 std::int64_t end);

}  // namespace rallrec::kernels::detail
