#include <algorithm>

#include "core/launch.h"
#include "kernels/cin_gpu.h"
#include "kernels/gpu/cin_tiles.cuh"
#include "kernels/gpu/parts.cuh"
#include "kernels/gpu/scratch.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::Fp32Product;
using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

// Blocks that the weight gradient should have at least, and the most parts that the batch is cut
// into for it. Both, with the sizes, settle the order of every sum.
constexpr std::int64_t kWantedBlocks = 512;
constexpr std::int64_t kMostParts = 64;

// tile[k, h] = w[h0 + h, k0 + k]; 0 beyond either end.
__device__ void stage_turned_weights(float* tile, const CinShape& s, const float* w,
                                     std::int64_t k0, std::int64_t h0) {
  const int k = gpu::staged_column();
  for (int h = gpu::first_staged_row(); h < kTile; h += gpu::kStagingStep) {
    const bool inside = k0 + k < gpu::pairs_of(s) && h0 + h < s.maps_out;
    tile[k * Fp32Product::kStride + h] = inside ? w[(h0 + h) * gpu::pairs_of(s) + k0 + k] : 0.0F;
  }
}

// The thread's share of dx0 and dx at one position: every fourth map and every fourth field, which
// no other thread touches, so that sums grow in global memory from tile to tile.
struct Spread {
  const CinBackwardArguments& a;
  gpu::Position p;

  __device__ void clear() const {
    const CinShape& s = a.shape;
    for (std::int64_t i = gpu::first_staged_row(); i < s.maps_in; i += gpu::kStagingStep) {
      a.gradients.dx[p.at(s.maps_in, i, s.dim)] = 0.0F;
    }
    for (std::int64_t j = gpu::first_staged_row(); j < s.fields; j += gpu::kStagingStep) {
      a.gradients.dx0[p.at(s.fields, j, s.dim)] = 0.0F;
    }
  }

  // dz: gradients of `count` products from pair k0 on, a row each, of this thread's column.
  __device__ void add_maps(const float* dz, std::int64_t k0, int count) const {
    const CinShape& s = a.shape;
    const std::int64_t last = (k0 + count - 1) / s.fields;
    const std::int64_t begin = k0 / s.fields;
    const std::int64_t mine =
        begin + (gpu::first_staged_row() - begin % gpu::kStagingStep + gpu::kStagingStep) %
                    gpu::kStagingStep;
    for (std::int64_t i = mine; i <= last; i += gpu::kStagingStep) {
      const auto from = static_cast<int>(max(i * s.fields - k0, std::int64_t{0}));
      const auto to = static_cast<int>(min((i + 1) * s.fields - k0, std::int64_t{count}));
      std::int64_t j = k0 + from - i * s.fields;
      float sum = 0.0F;
      for (int k = from; k < to; ++k, ++j) {
        sum += dz[k * Fp32Product::kStride] * a.in.x0[p.at(s.fields, j, s.dim)];
      }
      a.gradients.dx[p.at(s.maps_in, i, s.dim)] += sum;
    }
  }

  __device__ void add_fields(const float* dz, std::int64_t k0, int count) const {
    const CinShape& s = a.shape;
    for (std::int64_t j = gpu::first_staged_row(); j < s.fields; j += gpu::kStagingStep) {
      // The first pair of field j at or after k0.
      std::int64_t i = (k0 - j + s.fields - 1) / s.fields;
      float sum = 0.0F;
      for (std::int64_t k = i * s.fields + j - k0; k < count; k += s.fields, ++i) {
        sum += dz[k * Fp32Product::kStride] * a.in.x[p.at(s.maps_in, i, s.dim)];
      }
      a.gradients.dx0[p.at(s.fields, j, s.dim)] += sum;
    }
  }
};

// Block p: dx0 and dx at 64 positions. Tile by tile of 64 pairs the gradient of the products,
// dz = wᵀ · g, is computed into shared memory and spread over maps and fields.
__global__ void __launch_bounds__(kTileThreads) cin_input_kernel(CinBackwardArguments a) {
  __shared__ float tile[kTile * Fp32Product::kStride];
  __shared__ float gradients[kTile * Fp32Product::kStride];
  const CinShape& s = a.shape;
  const std::int64_t first_position = std::int64_t{blockIdx.x} * kTile;
  const Spread spread{a, gpu::position_of(s, first_position + gpu::staged_column())};
  if (spread.p.inside) {
    spread.clear();
  }
  const bool stays = s.maps_out <= kTile;
  for (std::int64_t k0 = 0; k0 < gpu::pairs_of(s); k0 += kTile) {
    float sums[kTileSums] = {};
    for (std::int64_t h0 = 0; h0 < s.maps_out; h0 += kTile) {
      stage_turned_weights(tile, s, a.in.w, k0, h0);
      if (!stays || k0 == 0) {
        gpu::stage_gradients(gradients, s, a.out, h0, first_position);
      }
      __syncthreads();
      Fp32Product::add(sums, tile, gradients);
      __syncthreads();
    }
#pragma unroll
    for (int k = 0; k < kTileSums; ++k) {
      tile[Fp32Product::row(k) * Fp32Product::kStride + Fp32Product::column(k)] = sums[k];
    }
    __syncthreads();
    if (spread.p.inside) {
      const auto count = static_cast<int>(min(std::int64_t{kTile}, gpu::pairs_of(s) - k0));
      spread.add_maps(tile + gpu::staged_column(), k0, count);
      spread.add_fields(tile + gpu::staged_column(), k0, count);
    }
    __syncthreads();
  }
}

// Block (k, h, p): dw of 64 output maps and 64 pairs over part p of the positions' tiles.
// partial: [parts, maps_out, pairs].
__global__ void __launch_bounds__(kTileThreads)
    cin_weight_kernel(CinBackwardArguments a, std::int64_t parts, float* partial) {
  __shared__ float gradients[kTile * Fp32Product::kStride];
  __shared__ float products[kTile * Fp32Product::kStride];
  const CinShape& s = a.shape;
  const std::int64_t k0 = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t h0 = std::int64_t{blockIdx.y} * kTile;
  const std::int64_t tiles = (s.batch * s.dim + kTile - 1) / kTile;
  const std::int64_t end = tiles * (blockIdx.z + 1) / parts;
  float sums[kTileSums] = {};
  for (std::int64_t t = tiles * blockIdx.z / parts; t < end; ++t) {
    gpu::stage_gradients(gradients, s, a.out, h0, t * kTile);
    gpu::stage_products(products, s, a.in, k0, t * kTile);
    __syncthreads();
    Fp32Product::add_transposed(sums, gradients, products);
    __syncthreads();
  }
  float* part = partial + std::int64_t{blockIdx.z} * s.maps_out * gpu::pairs_of(s);
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const std::int64_t h = h0 + Fp32Product::row(k);
    const std::int64_t column = k0 + Fp32Product::column(k);
    if (h < s.maps_out && column < gpu::pairs_of(s)) {
      part[h * gpu::pairs_of(s) + column] = sums[k];
    }
  }
}

__global__ void __launch_bounds__(kTileThreads)
    cin_join_kernel(const float* partial, std::int64_t parts, std::int64_t count, float* dw) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kTileThreads + threadIdx.x;
  if (i < count) {
    dw[i] = gpu::sum_of_parts(partial, parts, count, i);
  }
}

void add_weight_gradient(cudaStream_t stream, const CinBackwardArguments& a) {
  const CinShape& s = a.shape;
  const std::int64_t count = s.maps_out * s.pairs();
  if (count == 0) {
    return;
  }
  const dim3 tiles(blocks_for(s.pairs(), kTile), blocks_for(s.maps_out, kTile));
  const std::int64_t blocks = std::int64_t{tiles.x} * tiles.y;
  const std::int64_t position_tiles = (s.batch * s.dim + kTile - 1) / kTile;
  const std::int64_t parts =
      std::min({(kWantedBlocks + blocks - 1) / blocks, position_tiles, kMostParts});
  const gpu::Scratch<float> partial(stream, std::max<std::int64_t>(parts, 1) * count,
                                    "baseline.batch_size");
  const dim3 grid(tiles.x, tiles.y, static_cast<unsigned>(parts));
  launch(&cin_weight_kernel, grid, dim3(kTileThreads), 0, stream, a, parts, partial.get());
  launch(&cin_join_kernel, dim3(blocks_for(count, kTileThreads)), dim3(kTileThreads), 0, stream,
         partial.get(), parts, count, a.gradients.dw);
}

}  // namespace

void cin_backward_gpu(const Queue& queue, const CinBackwardArguments& arguments) {
  const CinShape& s = arguments.shape;
  const cudaStream_t stream = stream_of(queue);
  launch(&cin_input_kernel, dim3(blocks_for(s.batch * s.dim, kTile)), dim3(kTileThreads), 0, stream,
         arguments);
  add_weight_gradient(stream, arguments);
}

}  // namespace rallrec::kernels::detail
