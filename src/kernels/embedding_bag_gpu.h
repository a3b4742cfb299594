#pragma once

#include "core/device.h"
#include "kernels/embedding_bag.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void embedding_bag_gpu(const Queue& queue, const BagShape& shape, const Bags& bags,
                       const float* table, float* y);

}  // namespace rallrec::kernels::detail
