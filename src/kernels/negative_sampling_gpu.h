#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/negative_sampling.h"

namespace rallrec::kernels::detail {

// The GPU column of negative_sampling.h: all pointers are device memory, work is enqueued on
// queue.stream. Throws where the build has no CUDA.
void sample_negatives_gpu(const Queue& queue, const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives);
void sample_negatives_gpu(const Queue& queue, const EdgeLists& lists, const NegativeDraws& draws,
                          std::int32_t* negatives);

}  // namespace rallrec::kernels::detail
