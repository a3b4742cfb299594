#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/adam.h"

namespace rallrec::kernels::detail {

// The GPU column of adam.h: device memory, work is enqueued on queue.stream. Throws where the build
// has no CUDA.
void adam_gpu(const Queue& queue, const AdamRates& rates, std::int64_t count, const float* gradient,
              float* parameters, float* first_moment, float* second_moment);

}  // namespace rallrec::kernels::detail
