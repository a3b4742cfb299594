#include "core/launch.h"
#include "kernels/gpu/instructions.cuh"
#include "tests/support/simt/broken/kernels.h"

namespace rallrec::simt::broken {
namespace {

using kernels::gpu::copies_commit;
using kernels::gpu::copies_wait;
using kernels::gpu::copy_async_16;

constexpr unsigned kAll = 0xFFFFFFFFU;

template <bool kBarrier>
__global__ void reverse_kernel(const float* x, float* y) {
  __shared__ float tile[kThreads];
  tile[threadIdx.x] = x[threadIdx.x];
  if (kBarrier) {
    __syncthreads();
  }
  y[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];
}

__global__ void fill_kernel(float value, float* y) { y[threadIdx.x] = value; }

__global__ void add_one_kernel(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x] + 1.0F; }

__global__ void two_rounds_kernel(const float* x, float* y) {
  __shared__ float tile[kThreads];
  float sum = 0.0F;
  for (int round = 0; round < 2; ++round) {
    tile[threadIdx.x] = x[threadIdx.x] + static_cast<float>(round);
    __syncthreads();
    sum += tile[kThreads - 1 - threadIdx.x];
  }
  y[threadIdx.x] = sum;
}

__global__ void within_a_warp_kernel(const float* x, float* y) {
  __shared__ float tile[kThreads];
  tile[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = tile[threadIdx.x ^ 1];
}

__global__ void atomic_kernel(float* y) {
  __shared__ int count;
  if (threadIdx.x == 0) {
    count = 0;
  }
  __syncthreads();
  atomicAdd(&count, 1);
  y[threadIdx.x] = static_cast<float>(count);
}

__global__ void barrier_for_half_kernel() {
  if (threadIdx.x < kThreads / 2) {
    __syncthreads();
  }
}

__global__ void two_lines_kernel(float* y) {
  if (threadIdx.x < kThreads / 2) {
    __syncthreads();
    y[threadIdx.x] = 1.0F;
  } else {
    y[threadIdx.x] = 2.0F;
    __syncthreads();
  }
}

__global__ void shuffle_kernel(unsigned mask_of_low, unsigned mask_of_high, int source, bool all,
                               float* y) {
  const unsigned lane = threadIdx.x % 32;
  if (all || lane < 16) {
    const unsigned mask = lane < 16 ? mask_of_low : mask_of_high;
    y[threadIdx.x] = __shfl_sync(mask, static_cast<float>(lane), source);
  }
}

__global__ void unwritten_kernel(float* y) {
  __shared__ float tile[kThreads];
  if (threadIdx.x != 5) {
    tile[threadIdx.x] = 1.0F;
  }
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}

__global__ void beyond_dynamic_kernel() {
  auto* tile = static_cast<float*>(kernels::gpu::dynamic_shared());
  tile[threadIdx.x + 1] = 1.0F;
}

__global__ void beyond_static_kernel(int where, float* y) {
  __shared__ float tile[kThreads];
  tile[threadIdx.x] = 0.0F;
  tile[where] = 1.0F;
  y[threadIdx.x] = tile[threadIdx.x];
}

__global__ void copy_kernel(const float* x, float* y, bool wait) {
  __shared__ __align__(16) float tile[kThreads];
  if (threadIdx.x < kThreads / 4) {
    copy_async_16(tile + 4 * threadIdx.x, x + 4 * threadIdx.x);
  }
  copies_commit();
  if (wait) {
    copies_wait<0>();
  }
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
  copies_wait<0>();
}

__global__ void open_copy_kernel(const float* x) {
  __shared__ __align__(16) float tile[4 * kThreads];
  copy_async_16(tile + 4 * threadIdx.x, x);
}

__global__ void crooked_copy_kernel(const float* x) {
  __shared__ __align__(16) float tile[4 * kThreads];
  copy_async_16(tile + 4 * threadIdx.x, x + 1);
}

__global__ void beyond_global_kernel(float* y) { y[threadIdx.x + 1] = 1.0F; }

__global__ void two_blocks_kernel(bool atomics, float* y) {
  if (atomics) {
    atomicAdd(y + threadIdx.x, 1.0F);
  } else {
    y[threadIdx.x] += 1.0F;
  }
}

__global__ void trap_kernel() { __trap(); }

__global__ void nothing_kernel() {}

constexpr unsigned kLow = 0x0000FFFFU;
constexpr unsigned kHigh = 0xFFFF0000U;

template <typename Kernel, typename... Arguments>
void start(cudaStream_t stream, Kernel* kernel, Arguments... arguments) {
  launch(kernel, dim3(1), dim3(kThreads), 0, stream, arguments...);
}

}  // namespace

bool accesses_are_watched() { return RALLREC_WATCHED; }

void reverse(cudaStream_t stream, const float* x, float* y) {
  start(stream, &reverse_kernel<true>, x, y);
}
void fill(cudaStream_t stream, float value, float* y) { start(stream, &fill_kernel, value, y); }
void add_one(cudaStream_t stream, const float* x, float* y) {
  start(stream, &add_one_kernel, x, y);
}
void missing_barrier(cudaStream_t stream, const float* x, float* y) {
  start(stream, &reverse_kernel<false>, x, y);
}
void missing_second_barrier(cudaStream_t stream, const float* x, float* y) {
  start(stream, &two_rounds_kernel, x, y);
}
void missing_warp_barrier(cudaStream_t stream, const float* x, float* y) {
  start(stream, &within_a_warp_kernel, x, y);
}
void plain_beside_atomic(cudaStream_t stream, float* y) { start(stream, &atomic_kernel, y); }
void barrier_for_half(cudaStream_t stream) { start(stream, &barrier_for_half_kernel); }
void barrier_on_two_lines(cudaStream_t stream, float* y) { start(stream, &two_lines_kernel, y); }
void mask_without_itself(cudaStream_t stream, float* y) {
  start(stream, &shuffle_kernel, kHigh, kHigh, 16, true, y);
}
void mask_of_absent_lanes(cudaStream_t stream, float* y) {
  start(stream, &shuffle_kernel, kAll, kAll, 0, false, y);
}
void masks_that_differ(cudaStream_t stream, float* y) {
  start(stream, &shuffle_kernel, kLow, kAll, 0, true, y);
}
void shuffle_from_outside_the_mask(cudaStream_t stream, float* y) {
  start(stream, &shuffle_kernel, kLow, kHigh, 20, true, y);
}
void unwritten_shared(cudaStream_t stream, float* y) { start(stream, &unwritten_kernel, y); }
void beyond_dynamic_shared(cudaStream_t stream) {
  launch(&beyond_dynamic_kernel, dim3(1), dim3(kThreads), kThreads * sizeof(float), stream);
}
void beyond_static_shared(cudaStream_t stream, int where, float* y) {
  start(stream, &beyond_static_kernel, where, y);
}
void copy_without_wait(cudaStream_t stream, const float* x, float* y) {
  start(stream, &copy_kernel, x, y, false);
}
void copy_left_open(cudaStream_t stream, const float* x) { start(stream, &open_copy_kernel, x); }
void copy_not_aligned(cudaStream_t stream, const float* x) {
  start(stream, &crooked_copy_kernel, x);
}
void beyond_global(cudaStream_t stream, float* y) { start(stream, &beyond_global_kernel, y); }
void two_blocks(cudaStream_t stream, bool atomics, float* y) {
  launch(&two_blocks_kernel, dim3(2), dim3(kThreads), 0, stream, atomics, y);
}
void trap(cudaStream_t stream) { start(stream, &trap_kernel); }
void with_block_of(cudaStream_t stream, unsigned threads) {
  launch(&nothing_kernel, dim3(1), dim3(threads), 0, stream);
}
void with_shared_of(cudaStream_t stream, std::size_t bytes) {
  launch(&nothing_kernel, dim3(1), dim3(kThreads), bytes, stream);
}

}  // namespace rallrec::simt::broken
