#pragma once

#include "core/device.h"
#include "kernels/add_rows.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void add_rows_gpu(const Queue& queue, const RowAddition* additions, std::int64_t count,
                  std::int64_t width, float* values);

}  // namespace rallrec::kernels::detail
