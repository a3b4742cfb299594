#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void swi_glu_gpu(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                 float* y);
void swi_glu_backward_gpu(const Queue& queue, std::int64_t count, const float* gate,
                          const float* up, const float* dy, float* d_gate, float* d_up);

}  // namespace rallrec::kernels::detail
