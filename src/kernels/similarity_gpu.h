#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/similarity.h"

namespace rallrec::kernels::detail {

// The GPU column of similarity.h: all pointers are device memory, work is enqueued on queue.stream.
// Throw where the build has no CUDA.
void similarity_gpu(const Queue& queue, const float* queries, std::int64_t query_count,
                    const float* candidates, std::int64_t candidate_count, std::int64_t width,
                    float* scores);
void similarity_of_lists_gpu(const Queue& queue, const float* vectors, std::int64_t width,
                             const CandidateLists& lists, float* scores);

}  // namespace rallrec::kernels::detail
