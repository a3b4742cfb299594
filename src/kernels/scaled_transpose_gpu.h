#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/scaled_transpose.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory and there is something to do. Throw where
// the build has no CUDA.
void scaled_transpose_gpu(const Queue& queue, std::int64_t rows, std::int64_t columns, float scale,
                          const float* x, float* y);
void scale_values_gpu(const Queue& queue, std::int64_t count, float scale, float* x);

}  // namespace rallrec::kernels::detail
