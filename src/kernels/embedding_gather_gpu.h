#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/embedding_gather.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void embedding_gather_gpu(const Queue& queue, TableType type, const void* table, std::int64_t rows,
                          std::int64_t columns, const std::int64_t* ids, std::int64_t count,
                          float* y);

}  // namespace rallrec::kernels::detail
