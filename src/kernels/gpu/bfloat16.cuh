#pragma once

#include <cuda_runtime.h>

namespace rallrec::kernels::gpu {

// The bits of the nearest bf16, ties to even; the value is finite. stored.cuh widens them again.
__device__ inline unsigned rounded_to_bfloat16(float value) {
  const unsigned bits = __float_as_uint(value);
  return (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;
}

}  // namespace rallrec::kernels::gpu
