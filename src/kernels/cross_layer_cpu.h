#pragma once

#include <cstdint>

#include "kernels/cross_layer.h"

namespace rallrec::kernels::detail {

struct CrossArguments {
  CrossShape shape;
  CrossInput in;
  float* y;
  float* dots;
};

struct CrossBackwardArguments {
  CrossShape shape;
  CrossBackwardInput in;
  CrossGradients out;
};

// Rows [begin, end).
void cross_layer_cpu(const CrossArguments& arguments, std::int64_t begin, std::int64_t end);

// Rows [begin, end) of dx0 and dx; their shares of dw and db go to sums[2, width], dw first.
void cross_layer_backward_cpu(const CrossBackwardArguments& arguments, std::int64_t begin,
                              std::int64_t end, float* sums);

}  // namespace rallrec::kernels::detail
