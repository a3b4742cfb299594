#include <cuda_runtime.h>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/bpr_gpu.h"
#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::detail {
namespace {

// Triples that one block takes, a warp each.
constexpr int kWarps = 8;
constexpr int kThreads = kWarps * gpu::kWarp;
constexpr int kSumThreads = 256;

const char* const kSetting = "light_gcn.batch_size";

struct Triple {
  std::int64_t number;
  const float* user;
  const float* positive;
  const float* negative;
};

__device__ int lane() { return static_cast<int>(threadIdx.x) % gpu::kWarp; }

// The warp's triple; its number is `count` or more beyond the last.
__device__ Triple triple_of_warp(const float* embeddings, std::int64_t width,
                                 const BprBatch& batch) {
  const std::int64_t b = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  if (b >= batch.count) {
    return {b, nullptr, nullptr, nullptr};
  }
  return {b, embeddings + batch.users[b] * width, embeddings + batch.positives[b] * width,
          embeddings + batch.negatives[b] * width};
}

// In every lane.
__device__ float margin_of(const Triple& triple, std::int64_t width) {
  float margin = 0.0F;
  for (std::int64_t k = lane(); k < width; k += gpu::kWarp) {
    margin += triple.user[k] * (triple.positive[k] - triple.negative[k]);
  }
  return gpu::warp_sum(margin);
}

__global__ void __launch_bounds__(kThreads)
    bpr_margins_kernel(const float* embeddings, std::int64_t width, BprBatch batch,
                       float* margins) {
  const Triple triple = triple_of_warp(embeddings, width, batch);
  if (triple.number >= batch.count) {
    return;  // a whole warp
  }
  const float margin = margin_of(triple, width);
  if (lane() == 0) {
    margins[triple.number] = margin;
  }
}

__global__ void __launch_bounds__(kThreads)
    bpr_loss_kernel(const float* embeddings, std::int64_t width, BprBatch batch, float weight,
                    float* slopes, float* losses) {
  const Triple triple = triple_of_warp(embeddings, width, batch);
  if (triple.number >= batch.count) {
    return;  // a whole warp
  }
  const float margin = margin_of(triple, width);
  if (lane() == 0) {
    slopes[triple.number] = -weight / (1.0F + expf(margin));
    // log(1 + e^-m) without overflow at either end.
    losses[triple.number] = log1pf(expf(-fabsf(margin))) + (margin < 0.0F ? -margin : 0.0F);
  }
}

// In every lane; 0 where `row` is not one of [begin, end).
__device__ float square_of(const float* embeddings, std::int64_t width, std::int64_t row,
                           std::int64_t begin, std::int64_t end) {
  float square = 0.0F;
  if (row >= begin && row < end) {  // a whole warp
    const float* values = embeddings + row * width;
    for (std::int64_t k = lane(); k < width; k += gpu::kWarp) {
      square += values[k] * values[k];
    }
  }
  return gpu::warp_sum(square);
}

// squares[role][triple], a warp per triple.
__global__ void __launch_bounds__(kThreads)
    bpr_squares_kernel(const float* embeddings, std::int64_t width, BprBatch batch,
                       std::int64_t begin, std::int64_t end, float* squares) {
  const std::int64_t b = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  if (b >= batch.count) {
    return;  // a whole warp
  }
  const float user = square_of(embeddings, width, batch.users[b], begin, end);
  const float positive = square_of(embeddings, width, batch.positives[b], begin, end);
  const float negative = square_of(embeddings, width, batch.negatives[b], begin, end);
  if (lane() == 0) {
    squares[b] = user;
    squares[batch.count + b] = positive;
    squares[2 * batch.count + b] = negative;
  }
}

// sums[block] of the block's `count` values, or its root, in double and in an order that `count`
// settles.
template <bool kRoot>
__global__ void __launch_bounds__(kSumThreads)
    sum_kernel(const float* values, std::int64_t count, double* sums) {
  __shared__ double partial[kSumThreads];
  const float* mine = values + blockIdx.x * count;
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < count; i += kSumThreads) {
    sum += mine[i];
  }
  partial[threadIdx.x] = sum;
  for (unsigned half = kSumThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) {
      partial[threadIdx.x] += partial[threadIdx.x + half];
    }
  }
  if (threadIdx.x == 0) {
    sums[blockIdx.x] = kRoot ? sqrt(partial[0]) : partial[0];
  }
}

}  // namespace

void bpr_margins_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                     const BprBatch& batch, float* margins) {
  launch(&bpr_margins_kernel, blocks_for(batch.count, kWarps), dim3(kThreads), 0, stream_of(queue),
         embeddings, width, batch, margins);
}

void bpr_loss_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                  const BprBatch& batch, float weight, float* slopes, double* loss_sum) {
  const cudaStream_t stream = stream_of(queue);
  if (batch.count == 0) {
    check_cuda(cudaMemsetAsync(loss_sum, 0, sizeof(double), stream), "clearing a loss");
    return;
  }
  const CudaScratch<float> losses(stream, batch.count, kSetting);
  launch(&bpr_loss_kernel, blocks_for(batch.count, kWarps), dim3(kThreads), 0, stream, embeddings,
         width, batch, weight, slopes, losses.get());
  launch(&sum_kernel<false>, dim3(1), dim3(kSumThreads), 0, stream, losses.get(), batch.count,
         loss_sum);
}

void bpr_squares_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                     const BprBatch& batch, std::int64_t begin, std::int64_t end, float* squares) {
  launch(&bpr_squares_kernel, blocks_for(batch.count, kWarps), dim3(kThreads), 0, stream_of(queue),
         embeddings, width, batch, begin, end, squares);
}

void bpr_norms_gpu(const Queue& queue, const float* squares, std::int64_t count, double* norms) {
  const cudaStream_t stream = stream_of(queue);
  if (count == 0) {
    check_cuda(cudaMemsetAsync(norms, 0, 3 * sizeof(double), stream), "clearing norms");
    return;
  }
  launch(&sum_kernel<true>, dim3(3), dim3(kSumThreads), 0, stream, squares, count, norms);
}

}  // namespace rallrec::kernels::detail
