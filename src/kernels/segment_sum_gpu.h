#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/segment_sum.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void segment_sum_gpu(const Queue& queue, const RowGroupsView& groups, std::int64_t columns,
                     const float* dy, float* table);

}  // namespace rallrec::kernels::detail
