#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/int8_rows.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers but input.rule are device memory. Throw where the build has
// no CUDA.
void int8_quantize_gpu(const Queue& queue, std::int64_t rows, std::int64_t depth,
                       const Int8RowsInput& input, std::int8_t* q, float* scale,
                       const OutlierSlots& outliers);
void int8_epilogue_gpu(const Queue& queue, std::int64_t rows, std::int64_t columns,
                       const std::int32_t* sums, const Int8Epilogue& epilogue, float* y);
void dequantize_rows_gpu(const Queue& queue, std::int64_t rows, std::int64_t depth,
                         const std::int8_t* q, const float* scale, std::uint16_t* y);

}  // namespace rallrec::kernels::detail
