#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/narrow_matmul.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory, m and n positive. Throws where the
// build has no CUDA.
void narrow_matmul_gpu(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t k,
                       const StridedMatrix& a, const float* b, std::int64_t ldb, float* c,
                       std::int64_t ldc, bool accumulate);

}  // namespace rallrec::kernels::detail
