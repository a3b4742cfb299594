#pragma once

#include "core/device.h"
#include "kernels/columns.h"

namespace rallrec::kernels::detail {

// The GPU column of columns.h: device memory, enqueued on queue.stream. Throw where the build has
// no CUDA.
void copy_columns_gpu(const Queue& queue, const ColumnsShape& shape, const float* from, float* to);
void add_columns_gpu(const Queue& queue, const ColumnsShape& shape, float factor, const float* from,
                     float* to);

}  // namespace rallrec::kernels::detail
