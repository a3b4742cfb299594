#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/int8_dequantize.h"

namespace rallrec::kernels::detail {

// Enqueues on queue.stream; all pointers are device memory. Throws where the build has no CUDA.
void dequantize_bfloat16_gpu(const Queue& queue, const Int8Packed& b, std::uint16_t* rows);

}  // namespace rallrec::kernels::detail
