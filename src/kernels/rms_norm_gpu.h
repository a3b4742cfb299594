#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/rms_norm_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void rms_norm_gpu(const Queue& queue, std::int64_t rows, const RmsNormArguments& arguments);
void rms_norm_backward_gpu(const Queue& queue, std::int64_t rows,
                           const RmsNormBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
