#include <cuda_runtime.h>

#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/tile_product.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/similarity_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;
using Product = gpu::Fp32Product;

// Lists that one block takes, a warp each.
constexpr int kWarps = 4;

struct Matrices {
  const float* queries;
  std::int64_t query_count;
  const float* candidates;
  std::int64_t candidate_count;
  std::int64_t width;
};

// Block (c, q): 64 queries with 64 candidates.
__global__ void __launch_bounds__(kTileThreads) similarity_kernel(Matrices m, float* scores) {
  __shared__ Product::Element tile_a[kTile * Product::kStride];
  __shared__ Product::Element tile_b[kTile * Product::kStride];
  const std::int64_t column = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t row = std::int64_t{blockIdx.y} * kTile;
  float sums[kTileSums];
  gpu::multiply_rows<Product>(sums, {m.queries, row, m.query_count - row, m.width},
                              {m.candidates, column, m.candidate_count - column, m.width}, tile_a,
                              tile_b);
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const std::int64_t q = row + Product::row(k);
    const std::int64_t c = column + Product::column(k);
    if (q < m.query_count && c < m.candidate_count) {
      scores[q * m.candidate_count + c] = sums[k];
    }
  }
}

// A warp per list; its lanes share each vector, kWidth elements at a time.
template <int kWidth>
__global__ void __launch_bounds__(kWarps* gpu::kWarp)
    similarity_of_lists_kernel(const float* vectors, std::int64_t width, CandidateLists lists,
                               float* scores) {
  const std::int64_t list = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  const int lane = static_cast<int>(threadIdx.x) % gpu::kWarp;
  if (list >= lists.lists) {
    return;  // a whole warp
  }
  const float* query = vectors + lists.queries[list] * width;
  for (std::int64_t e = lists.offsets[list]; e < lists.offsets[list + 1]; ++e) {
    const float* candidate = vectors + lists.candidates[e] * width;
    float sum = 0.0F;
    for (std::int64_t k = lane * kWidth; k < width; k += gpu::kWarp * kWidth) {
      const auto a = gpu::load<kWidth>(query + k);
      const auto b = gpu::load<kWidth>(candidate + k);
      for (int i = 0; i < kWidth; ++i) {
        sum += a.v[i] * b.v[i];
      }
    }
    sum = gpu::warp_sum(sum);
    if (lane == 0) {
      scores[e] = sum;
    }
  }
}

}  // namespace

void similarity_gpu(const Queue& queue, const float* queries, std::int64_t query_count,
                    const float* candidates, std::int64_t candidate_count, std::int64_t width,
                    float* scores) {
  const dim3 grid(blocks_for(candidate_count, kTile), blocks_for(query_count, kTile));
  launch(&similarity_kernel, grid, dim3(kTileThreads), 0, stream_of(queue),
         Matrices{queries, query_count, candidates, candidate_count, width}, scores);
}

void similarity_of_lists_gpu(const Queue& queue, const float* vectors, std::int64_t width,
                             const CandidateLists& lists, float* scores) {
  const auto kernel = gpu::in_fours(width, vectors) ? &similarity_of_lists_kernel<4>
                                                    : &similarity_of_lists_kernel<1>;
  launch(kernel, blocks_for(lists.lists, kWarps), dim3(kWarps * gpu::kWarp), 0, stream_of(queue),
         vectors, width, lists, scores);
}

}  // namespace rallrec::kernels::detail
