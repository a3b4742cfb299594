#include <cuda_runtime.h>

#include <algorithm>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/parts.cuh"
#include "kernels/gpu/tile_product.cuh"
#include "kernels/info_nce_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

// Blocks that one call should have at least, and the most parts that one row's gradient is summed
// in. Both, with the sizes, settle the order of every sum.
constexpr std::int64_t kWantedBlocks = 512;
constexpr std::int64_t kMostParts = 16;
// Tiles of the gradient's columns that a block holds in registers.
constexpr int kMostWidthTiles = 8;

constexpr int kJoinThreads = 256;

// One matrix of the two: its rows and the log-sum-exp of their scores.
struct Side {
  const float* rows;
  std::int64_t count;
  const double* lse;
};

// The gradient of one side: own rows get the sum over other rows. Row i's positive is the other
// side's row i + shift.
struct Direction {
  Side own;
  Side other;
  std::int64_t width;
  std::int64_t shift;
  float scale;
  float weight;  // 1 / temperature times the caller's
  std::int64_t parts;
};

// dL/dS of one tile, from the scores in registers to shared memory; 0 beyond the matrices.
template <typename Product>
__device__ void store_gradients(const Direction& d, std::int64_t row, std::int64_t column,
                                const float (&sums)[kTileSums],
                                typename Product::Element* gradients) {
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const std::int64_t i = row + Product::row(k);
    const std::int64_t j = column + Product::column(k);
    float gradient = 0.0F;
    if (i < d.own.count && j < d.other.count) {
      const float z = sums[k] * d.scale;
      gradient = d.weight * (expf(z - static_cast<float>(d.own.lse[i])) +
                             expf(z - static_cast<float>(d.other.lse[j])));
      if (i + d.shift == j) {
        gradient -= 2.0F * d.weight;
      }
    }
    gradients[Product::row(k) * Product::kStride + Product::column(k)] = Product::element(gradient);
  }
}

// Block (t, p, w): 64 own rows with part p of the other side's tiles, for kWidthTiles * 64 columns
// of the gradient. partial: [parts, own rows, width].
template <typename Product, int kWidthTiles>
__global__ void __launch_bounds__(kTileThreads)
    info_nce_gradient_kernel(Direction d, float* partial) {
  using Element = typename Product::Element;
  alignas(16) __shared__ Element tile_a[kTile * Product::kStride];
  alignas(16) __shared__ Element tile_b[kTile * Product::kStride];
  const std::int64_t row = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t first_width = std::int64_t{blockIdx.z} * kWidthTiles * kTile;
  const std::int64_t tiles = (d.other.count + kTile - 1) / kTile;
  const std::int64_t begin = tiles * blockIdx.y / d.parts;
  const std::int64_t end = tiles * (blockIdx.y + 1) / d.parts;
  const gpu::TileSource own{d.own.rows, row, d.own.count - row, d.width};
  float result[kWidthTiles][kTileSums] = {};
  for (std::int64_t t = begin; t < end; ++t) {
    const std::int64_t column = t * kTile;
    const gpu::TileSource other{d.other.rows, column, d.other.count - column, d.width};
    float sums[kTileSums];
    gpu::multiply_rows<Product>(sums, own, other, tile_a, tile_b);
    store_gradients<Product>(d, row, column, sums, tile_a);
#pragma unroll
    for (int w = 0; w < kWidthTiles; ++w) {
      Product::stage(tile_b, other, first_width + w * kTile);
      __syncthreads();
      Product::add(result[w], tile_a, tile_b);
      __syncthreads();
    }
  }
  float* part = partial + blockIdx.y * d.own.count * d.width;
#pragma unroll
  for (int w = 0; w < kWidthTiles; ++w) {
    for (int k = 0; k < kTileSums; ++k) {
      const std::int64_t i = row + Product::row(k);
      const std::int64_t column = first_width + w * kTile + Product::column(k);
      if (i < d.own.count && column < d.width) {
        part[i * d.width + column] = result[w][k];
      }
    }
  }
}

// gradient = or += the parts, in their order.
__global__ void __launch_bounds__(kJoinThreads)
    join_parts_kernel(const float* partial, std::int64_t parts, std::int64_t count, bool accumulate,
                      float* gradient) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kJoinThreads + threadIdx.x;
  if (i >= count) {
    return;
  }
  const float sum = gpu::sum_of_parts(partial, parts, count, i);
  gradient[i] = accumulate ? gradient[i] + sum : sum;
}

using GradientKernel = void (*)(Direction, float*);

template <typename Product>
GradientKernel kernel_for(std::int64_t width_tiles) {
  return width_tiles <= 1   ? &info_nce_gradient_kernel<Product, 1>
         : width_tiles <= 2 ? &info_nce_gradient_kernel<Product, 2>
         : width_tiles <= 4 ? &info_nce_gradient_kernel<Product, 4>
                            : &info_nce_gradient_kernel<Product, kMostWidthTiles>;
}

// Tiles of the kernel that kernel_for returns.
std::int64_t held_tiles(std::int64_t width_tiles) {
  std::int64_t held = 1;
  while (held < width_tiles && held < kMostWidthTiles) {
    held *= 2;
  }
  return held;
}

void add_direction(cudaStream_t stream, Direction d, bool bf16, bool accumulate, float* gradient) {
  const std::int64_t count = d.own.count * d.width;
  const std::int64_t row_tiles = (d.own.count + kTile - 1) / kTile;
  const std::int64_t other_tiles = (d.other.count + kTile - 1) / kTile;
  const std::int64_t width_tiles = (d.width + kTile - 1) / kTile;
  const std::int64_t held = held_tiles(width_tiles);
  const std::int64_t wanted = (kWantedBlocks + row_tiles - 1) / row_tiles;
  d.parts = std::min({wanted, other_tiles, kMostParts});
  const CudaScratch<float> partial(stream, d.parts * count, "the width of the embeddings");
  const dim3 grid(static_cast<unsigned>(row_tiles), static_cast<unsigned>(d.parts),
                  blocks_for(width_tiles, held));
  const GradientKernel kernel =
      bf16 ? kernel_for<gpu::Bf16Product>(width_tiles) : kernel_for<gpu::Fp32Product>(width_tiles);
  launch(kernel, grid, dim3(kTileThreads), 0, stream, d, partial.get());
  const dim3 blocks(blocks_for(count, kJoinThreads));
  launch(&join_parts_kernel, blocks, dim3(kJoinThreads), 0, stream, partial.get(), d.parts, count,
         accumulate, gradient);
}

}  // namespace

void info_nce_backward_gpu(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                           const double* column_lse, float weight, float* grad_x, float* grad_y) {
  if (block.rows == 0 || block.width == 0) {
    return;
  }
  const float scale = 1.0F / block.temperature;
  const Side x{block.x, block.rows, row_lse};
  const Side y{block.y, block.columns, column_lse};
  const cudaStream_t stream = stream_of(queue);
  add_direction(stream, {x, y, block.width, block.first_row, scale, weight * scale, 0}, block.bf16,
                false, grad_x);
  if (grad_y != nullptr) {
    add_direction(stream, {y, x, block.width, -block.first_row, scale, weight * scale, 0},
                  block.bf16, true, grad_y);
  }
}

}  // namespace rallrec::kernels::detail
