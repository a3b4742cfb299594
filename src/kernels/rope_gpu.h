#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/rope_cpu.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void rope_gpu(const Queue& queue, std::int64_t tokens, const RopeArguments& arguments);

}  // namespace rallrec::kernels::detail
