#pragma once

#include "core/device.h"
#include "kernels/cin_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void cin_gpu(const Queue& queue, const CinArguments& arguments);
void cin_backward_gpu(const Queue& queue, const CinBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
