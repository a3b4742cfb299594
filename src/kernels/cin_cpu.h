#pragma once

#include <cstdint>

#include "kernels/cin.h"

namespace rallrec::kernels::detail {

struct CinArguments {
  CinShape shape;
  CinInput in;
  float* y;
  float* pooled;
};

struct CinBackwardArguments {
  CinShape shape;
  CinInput in;
  CinOutputGradients out;
  CinGradients gradients;
};

// Samples [begin, end).
void cin_cpu(const CinArguments& arguments, std::int64_t begin, std::int64_t end);

// dx0 and dx of samples [begin, end).
void cin_input_gradients_cpu(const CinBackwardArguments& arguments, std::int64_t begin,
                             std::int64_t end);

// Columns [begin, begin + count) of dw as a matrix [maps_out, pairs], over the whole batch.
void cin_weight_gradient_cpu(const CinBackwardArguments& arguments, std::int64_t begin,
                             std::int64_t count);

}  // namespace rallrec::kernels::detail
