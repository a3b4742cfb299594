#pragma once

#include "core/device.h"
#include "kernels/linear.h"

namespace rallrec::kernels::detail {

// The GPU column of linear.h: device memory, work is enqueued on queue.stream. Throws where the
// build has no CUDA.
void linear_gpu(const Queue& queue, const LinearShape& shape, const float* x, const float* weight,
                const float* bias, float* y);
void linear_backward_input_gpu(const Queue& queue, const LinearShape& shape, const float* dy,
                               const float* weight, float* dx);
void linear_backward_weight_gpu(const Queue& queue, const LinearShape& shape, const float* x,
                                const float* dy, float* dweight, float* dbias);

}  // namespace rallrec::kernels::detail
