#include "core/launch.h"
#include "kernels/cin_gpu.h"
#include "kernels/gpu/cin_tiles.cuh"

namespace rallrec::kernels::detail {
namespace {

using gpu::Fp32Product;
using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

// Block (p, h): 64 positions of 64 output maps. The products of 64 pairs lie in shared memory at a
// time, made where they are needed.
__global__ void __launch_bounds__(kTileThreads, 3) cin_kernel(CinArguments a) {
  __shared__ float weights[kTile * Fp32Product::kStride];
  __shared__ float products[kTile * Fp32Product::kStride];
  const gpu::CinSizes s(a.shape);
  const std::int64_t first_position = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t h0 = std::int64_t{blockIdx.y} * kTile;
  const gpu::TileSource w{a.in.w, h0, s.maps_out - h0, s.pairs()};
  const gpu::Position staged(s, first_position + gpu::staged_column());
  const bool inside = staged.sample < a.shape.batch;
  gpu::Pair pair(s, gpu::first_staged_row());
  float sums[kTileSums] = {};
  for (int k0 = 0; k0 < s.pairs(); k0 += kTile) {
    Fp32Product::stage(weights, w, k0);
    gpu::stage_products(products, s, a.in, staged, inside, pair);
    __syncthreads();
    Fp32Product::add(sums, weights, products);
    __syncthreads();
  }
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const gpu::Position p(s, first_position + Fp32Product::column(j));
    float* y = a.y + p.at(s, s.maps_out);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const auto h = static_cast<int>(h0) + Fp32Product::row(4 * i);
      if (p.sample < a.shape.batch && h < s.maps_out) {
        y[h * s.dim] = sums[4 * i + j];
      }
    }
  }
}

// A thread per map of a sample, in the order of the elements.
__global__ void __launch_bounds__(kTileThreads) cin_pool_kernel(CinArguments a) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kTileThreads + threadIdx.x;
  if (i >= a.shape.batch * a.shape.maps_out) {
    return;
  }
  float sum = 0.0F;
#pragma unroll 8
  for (std::int64_t d = 0; d < a.shape.dim; ++d) {
    sum += a.y[i * a.shape.dim + d];
  }
  a.pooled[i] = sum;
}

}  // namespace

void cin_gpu(const Queue& queue, const CinArguments& a) {
  const CinShape& s = a.shape;
  const cudaStream_t stream = stream_of(queue);
  const dim3 grid(blocks_for(s.batch * s.dim, kTile), blocks_for(s.maps_out, kTile));
  launch(&cin_kernel, grid, dim3(kTileThreads), 0, stream, a);
  if (a.pooled != nullptr) {
    launch(&cin_pool_kernel, dim3(blocks_for(s.batch * s.maps_out, kTileThreads)),
           dim3(kTileThreads), 0, stream, a);
  }
}

}  // namespace rallrec::kernels::detail
