#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

struct RmsNormArguments {
  std::int64_t columns;
  float eps;
  const float* x;
  const float* weight;
  float* y;
  float* inverse_rms;
};

struct RmsNormBackwardArguments {
  std::int64_t columns;
  const float* x;
  const float* weight;
  const float* inverse_rms;
  const float* dy;
  const float* residual;
  float* dx;
};

// Rows [begin, end).
void rms_norm_cpu(const RmsNormArguments& arguments, std::int64_t begin, std::int64_t end);
void rms_norm_backward_cpu(const RmsNormBackwardArguments& arguments, std::int64_t begin,
                           std::int64_t end);

}  // namespace rallrec::kernels::detail
