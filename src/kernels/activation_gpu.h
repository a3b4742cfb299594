#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/activation.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void activate_gpu(const Queue& queue, Activation activation, std::int64_t count, const float* x,
                  float* y);
void activate_backward_gpu(const Queue& queue, Activation activation, std::int64_t count,
                           const float* x, const float* dy, float* dx);

}  // namespace rallrec::kernels::detail
