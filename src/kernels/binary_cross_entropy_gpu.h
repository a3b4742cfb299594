#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void binary_cross_entropy_gpu(const Queue& queue, std::int64_t count, const float* logits,
                              const std::uint8_t* labels, double divisor, float* slopes,
                              double* loss_sum);

}  // namespace rallrec::kernels::detail
