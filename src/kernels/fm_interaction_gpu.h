#pragma once

#include "core/device.h"
#include "kernels/fm_interaction_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void fm_interaction_gpu(const Queue& queue, const FmArguments& arguments);
void fm_interaction_backward_gpu(const Queue& queue, const FmBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
