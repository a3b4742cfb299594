#include <algorithm>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/cin_gpu.h"
#include "kernels/gpu/cin_tiles.cuh"
#include "kernels/gpu/parts.cuh"

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
__device__ void stage_turned_weights(float* tile, const gpu::CinSizes& s, const float* w, int k0,
                                     int h0) {
  const int k = gpu::staged_column();
  for (int h = gpu::first_staged_row(); h < kTile; h += gpu::kStagingStep) {
    const bool inside = k0 + k < s.pairs() && h0 + h < s.maps_out;
    const std::int64_t at = std::int64_t{h0 + h} * s.pairs() + k0 + k;
    tile[k * Fp32Product::kStride + h] = inside ? w[at] : 0.0F;
  }
}

// The thread's share of dx0 and dx at one position: every fourth map and every fourth field, which
// no other thread touches, so that sums grow in global memory from tile to tile.
struct Spread {
  gpu::CinSizes s;
  const float* x0;
  const float* x;
  float* dx0;
  float* dx;

  __device__ Spread(const gpu::CinSizes& sizes, const CinBackwardArguments& a,
                    const gpu::Position& p)
      : s(sizes),
        x0(a.in.x0 + p.at(s, s.fields)),
        x(a.in.x + p.at(s, s.maps_in)),
        dx0(a.gradients.dx0 + p.at(s, s.fields)),
        dx(a.gradients.dx + p.at(s, s.maps_in)) {}

  __device__ void clear() const {
    for (int i = gpu::first_staged_row(); i < s.maps_in; i += gpu::kStagingStep) {
      dx[i * s.dim] = 0.0F;
    }
    for (int j = gpu::first_staged_row(); j < s.fields; j += gpu::kStagingStep) {
      dx0[j * s.dim] = 0.0F;
    }
  }

  // dz: gradients of `count` products from pair k0 on, a row each, of this thread's column. The
  // products of map i are the rows i * fields - k0 … that are there.
  __device__ void add_maps(const float* dz, int k0, int count) const {
    const int first = k0 / s.fields;
    // The first of this thread's maps at or after that of k0.
    const int skip = (gpu::first_staged_row() - first) & (gpu::kStagingStep - 1);
    for (int i = first + skip; i * s.fields < k0 + count; i += gpu::kStagingStep) {
      const int row = i * s.fields - k0;
      const int begin = max(row, 0);
      const int end = min(row + s.fields, count);
      float sum = 0.0F;
      for (int k = begin; k < end; ++k) {
        sum += dz[k * Fp32Product::kStride] * x0[(k - row) * s.dim];
      }
      dx[i * s.dim] += sum;
    }
  }

  __device__ void add_fields(const float* dz, int k0, int count) const {
    const gpu::Pair first(s, k0);
    for (int j = gpu::first_staged_row(); j < s.fields; j += gpu::kStagingStep) {
      // The first pair of field j at or after k0.
      int i = first.i + (j < first.j ? 1 : 0);
      float sum = 0.0F;
      for (int k = i * s.fields + j - k0; k < count; k += s.fields, ++i) {
        sum += dz[k * Fp32Product::kStride] * x[i * s.dim];
      }
      dx0[j * s.dim] += sum;
    }
  }
};

static_assert((gpu::kStagingStep & (gpu::kStagingStep - 1)) == 0, "the mask above");

// Block p: dx0 and dx at 64 positions. Tile by tile of 64 pairs the gradient of the products,
// dz = wᵀ · g, is computed into shared memory and spread over maps and fields.
__global__ void __launch_bounds__(kTileThreads) cin_input_kernel(CinBackwardArguments a) {
  __shared__ float tile[kTile * Fp32Product::kStride];
  __shared__ float gradients[kTile * Fp32Product::kStride];
  const gpu::CinSizes s(a.shape);
  const gpu::Position p(s, std::int64_t{blockIdx.x} * kTile + gpu::staged_column());
  const bool inside = p.sample < a.shape.batch;
  const Spread spread(s, a, p);
  if (inside) {
    spread.clear();
  }
  const bool stays = s.maps_out <= kTile;
  for (int k0 = 0; k0 < s.pairs(); k0 += kTile) {
    float sums[kTileSums] = {};
    for (int h0 = 0; h0 < s.maps_out; h0 += kTile) {
      stage_turned_weights(tile, s, a.in.w, k0, h0);
      if (!stays || k0 == 0) {
        gpu::stage_gradients(gradients, s, a.out, h0, p, inside);
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
    if (inside) {
      const int count = min(kTile, s.pairs() - k0);
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
  const gpu::CinSizes s(a.shape);
  const auto k0 = static_cast<int>(blockIdx.x) * kTile;
  const auto h0 = static_cast<int>(blockIdx.y) * kTile;
  const std::int64_t tiles = (a.shape.batch * a.shape.dim + kTile - 1) / kTile;
  const std::int64_t begin = tiles * blockIdx.z / parts;
  const std::int64_t end = tiles * (blockIdx.z + 1) / parts;
  const gpu::Pair first(s, k0 + gpu::first_staged_row());
  const int samples = kTile / s.dim;
  const int rest = kTile % s.dim;
  gpu::Position p(s, begin * kTile + gpu::staged_column());
  float sums[kTileSums] = {};
  for (std::int64_t t = begin; t < end; ++t) {
    const bool inside = p.sample < a.shape.batch;
    gpu::stage_gradients(gradients, s, a.out, h0, p, inside);
    gpu::Pair pair = first;
    gpu::stage_products(products, s, a.in, p, inside, pair);
    __syncthreads();
    Fp32Product::add_transposed(sums, gradients, products);
    __syncthreads();
    p.advance(s, samples, rest);
  }
  float* part = partial + std::int64_t{blockIdx.z} * s.maps_out * s.pairs();
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const int h = h0 + Fp32Product::row(k);
    const int column = k0 + Fp32Product::column(k);
    if (h < s.maps_out && column < s.pairs()) {
      part[std::int64_t{h} * s.pairs() + column] = sums[k];
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
  const CudaScratch<float> partial(stream, std::max<std::int64_t>(parts, 1) * count,
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
