#pragma once

#include "core/device.h"
#include "kernels/cross_layer_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void cross_layer_gpu(const Queue& queue, const CrossArguments& arguments);
void cross_layer_backward_gpu(const Queue& queue, const CrossBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
