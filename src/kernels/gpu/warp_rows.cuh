#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"

// A warp per row of a matrix, kWarps warps to a block.
namespace rallrec::kernels::gpu {

template <int kWarps>
__device__ std::int64_t warp_row() {
  return std::int64_t{blockIdx.x} * kWarps + threadIdx.x / kWarp;
}

__device__ inline int lane_of_warp() { return static_cast<int>(threadIdx.x) % kWarp; }

// <a, b> over a row, in every lane. All lanes must call.
template <int kWidth>
__device__ float row_dot(const float* a, const float* b, std::int64_t columns) {
  float sum = 0.0F;
  for (std::int64_t c = lane_of_warp() * kWidth; c < columns; c += kWarp * kWidth) {
    const auto left = load<kWidth>(a + c);
    const auto right = load<kWidth>(b + c);
    for (int i = 0; i < kWidth; ++i) {
      sum += left.v[i] * right.v[i];
    }
  }
  return warp_sum(sum);
}

}  // namespace rallrec::kernels::gpu
