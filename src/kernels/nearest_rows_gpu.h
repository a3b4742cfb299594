#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/nearest_rows.h"

namespace rallrec::kernels::detail {

// Of k on a GPU: both lists of a query lie in shared memory.
constexpr std::int64_t kNearestMost = 2048;

// Enqueues on queue.stream; all pointers are device memory, k is between 1 and kNearestMost and
// there are queries. Throws where the build has no CUDA.
void nearest_rows_gpu(const Queue& queue, const NearestTask& task, std::int32_t* best,
                      float* scores);

}  // namespace rallrec::kernels::detail
