#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rallrec::kernels::gpu {

// Σ_p parts[p, i] of parts [part_count, count], in the order of the parts: how blocks that summed a
// part each come together without atomics.
__device__ inline float sum_of_parts(const float* parts, std::int64_t part_count,
                                     std::int64_t count, std::int64_t i) {
  float sum = 0.0F;
#pragma unroll 8
  for (std::int64_t p = 0; p < part_count; ++p) {
    sum += parts[p * count + i];
  }
  return sum;
}

}  // namespace rallrec::kernels::gpu
