#pragma once

#include <cuda_runtime.h>

namespace rallrec::kernels::gpu {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

// Sum and maximum over the 32 lanes of a warp, the same bits in every lane: a butterfly adds the
// same pairs in each lane and addition commutes. All lanes must call.
template <typename Value>
__device__ Value warp_sum(Value value) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, step);
  }
  return value;
}

__device__ inline float warp_max(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// Sum over a block of kWarps warps, in every thread, in a fixed order. `partial` is shared memory
// for kWarps values; a barrier must lie between its uses.
template <int kWarps, typename Value>
__device__ Value block_sum(Value value, Value* partial) {
  value = warp_sum(value);
  if (threadIdx.x % kWarp == 0) {
    partial[threadIdx.x / kWarp] = value;
  }
  __syncthreads();
  Value sum = 0;
  for (int warp = 0; warp < kWarps; ++warp) {
    sum += partial[warp];
  }
  return sum;
}

}  // namespace rallrec::kernels::gpu
