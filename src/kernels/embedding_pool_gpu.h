#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/embedding_pool_cpu.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void embedding_pool_gpu(const Queue& queue, std::int64_t sequences, const PoolArguments& arguments);

}  // namespace rallrec::kernels::detail
