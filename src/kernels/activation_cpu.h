#pragma once

#include <cstdint>

#include "kernels/activation.h"

namespace rallrec::kernels::detail {

// Elements [begin, end); only the last range of a call may end at another place than a multiple of
// 16.
void activate_cpu(Activation activation, const float* x, float* y, std::int64_t begin,
                  std::int64_t end);
void activate_backward_cpu(Activation activation, const float* x, const float* dy, float* dx,
                           std::int64_t begin, std::int64_t end);

}  // namespace rallrec::kernels::detail
