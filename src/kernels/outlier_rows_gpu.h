#pragma once

#include "core/device.h"
#include "kernels/outlier_rows.h"

namespace rallrec::kernels::detail {

// The GPU column of outlier_rows.h: device memory, work is enqueued on queue.stream. Throws where
// the build has no CUDA.
void add_outlier_rows_gpu(const Queue& queue, const ProductShape& shape,
                          const OutlierSlots& outliers, const std::int8_t* w,
                          const float* column_scale, float* y);
void add_outlier_rows_transposed_gpu(const Queue& queue, const ProductShape& shape,
                                     const OutlierSlots& outliers, const std::int8_t* w, float* y);

}  // namespace rallrec::kernels::detail
