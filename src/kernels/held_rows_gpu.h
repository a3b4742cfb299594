#pragma once

#include "core/device.h"
#include "kernels/held_rows.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void find_places_gpu(const Queue& queue, const std::int32_t* place_of, const std::int32_t* ids,
                     std::int64_t count, std::int32_t* places);
void take_rows_gpu(const Queue& queue, const float* rows, std::int64_t width,
                   const std::int32_t* places, std::int64_t count, std::int64_t begin,
                   std::int64_t end, float* taken);

}  // namespace rallrec::kernels::detail
