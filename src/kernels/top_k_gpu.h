#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/top_k.h"

namespace rallrec::kernels::detail {

// The GPU column of top_k.h: all pointers are device memory, work is enqueued on queue.stream.
// Throws where the build has no CUDA.
void top_k_gpu(const Queue& queue, const ScoredLists& lists, std::int64_t k, std::int32_t* best);

}  // namespace rallrec::kernels::detail
