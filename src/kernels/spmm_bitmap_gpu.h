#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/spmm_bitmap.h"

namespace rallrec::kernels::detail {

// The GPU column of spmm_bitmap.h: all pointers are device memory, work is enqueued on
// queue.stream. Throws where the build has no CUDA.
void spmm_bitmap_gpu(const Queue& queue, const BitmapView& matrix, const float* x,
                     std::int64_t width, const float* addend, float scale, float* y);

}  // namespace rallrec::kernels::detail
