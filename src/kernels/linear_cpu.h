#pragma once

#include "kernels/linear.h"

namespace rallrec::kernels::detail {

// The CPU column of linear.h, on thread_count() threads.
void linear_cpu(const LinearShape& shape, const float* x, const float* weight, const float* bias,
                float* y);
void linear_backward_input_cpu(const LinearShape& shape, const float* dy, const float* weight,
                               float* dx);
void linear_backward_weight_cpu(const LinearShape& shape, const float* x, const float* dy,
                                float* dweight, float* dbias);

}  // namespace rallrec::kernels::detail
