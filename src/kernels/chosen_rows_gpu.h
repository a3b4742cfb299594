#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/chosen_rows.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory and there is something to do. Throw where
// the build has no CUDA.
void copy_to_chosen_rows_gpu(const Queue& queue, std::int64_t count, std::int64_t columns,
                             const std::int64_t* rows, const float* y, float* x);
void add_to_chosen_rows_gpu(const Queue& queue, std::int64_t count, std::int64_t columns,
                            const std::int64_t* rows, const float* y, float* x);

}  // namespace rallrec::kernels::detail
