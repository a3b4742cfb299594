#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rallrec::kernels {

// One tensor-core product each, by one warp whose lanes read their operands one value at a time
// from where PTX's description of mma has them. a is row-major [16, 32] or [16, 16], b [32, 8] or
// [16, 8], d [16, 8]; d += a · b. Enqueued.
void multiply_int8(cudaStream_t stream, const std::int8_t* a, const std::int8_t* b,
                   std::int32_t* d);
void multiply_bfloat16(cudaStream_t stream, const std::uint16_t* a, const std::uint16_t* b,
                       float* d);

}  // namespace rallrec::kernels
