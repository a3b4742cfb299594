#include <algorithm>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/parts.cuh"
#include "kernels/gpu/tile_product.cuh"
#include "kernels/linear_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::Fp32Product;
using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

// Blocks that the weight gradient should have at least, and the most parts that the rows are cut
// into for it. Both, with the sizes, settle the order of every sum.
constexpr std::int64_t kWantedBlocks = 512;
constexpr std::int64_t kMostParts = 64;

// Writes a block's tile of result [rows, columns] at (row, column); `value(sum, column)` is what is
// stored.
template <typename Value>
__device__ void store_tile(const float (&sums)[kTileSums], std::int64_t row, std::int64_t rows,
                           std::int64_t column, std::int64_t columns, float* result,
                           const Value& value) {
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const std::int64_t i = row + Fp32Product::row(k);
    const std::int64_t j = column + Fp32Product::column(k);
    if (i < rows && j < columns) {
      result[i * columns + j] = value(sums[k], j);
    }
  }
}

// Block (r, o): 64 rows, 64 outputs.
__global__ void __launch_bounds__(kTileThreads)
    linear_kernel(LinearShape s, const float* x, const float* weight, const float* bias, float* y) {
  __shared__ float tile_x[kTile * Fp32Product::kStride];
  __shared__ float tile_w[kTile * Fp32Product::kStride];
  const std::int64_t row = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t output = std::int64_t{blockIdx.y} * kTile;
  float sums[kTileSums];
  gpu::multiply_rows<Fp32Product>(sums, gpu::TileSource{x, row, s.rows - row, s.inputs},
                                  gpu::TileSource{weight, output, s.outputs - output, s.inputs},
                                  tile_x, tile_w);
  store_tile(sums, row, s.rows, output, s.outputs, y,
             [&](float sum, std::int64_t j) { return bias == nullptr ? sum : sum + bias[j]; });
}

// Block (r, i): 64 rows, 64 inputs; 64 outputs at a time.
__global__ void __launch_bounds__(kTileThreads)
    linear_input_kernel(LinearShape s, const float* dy, const float* weight, float* dx) {
  __shared__ float tile_dy[kTile * Fp32Product::kStride];
  __shared__ float tile_w[kTile * Fp32Product::kStride];
  const std::int64_t row = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t input = std::int64_t{blockIdx.y} * kTile;
  float sums[kTileSums] = {};
  for (std::int64_t output = 0; output < s.outputs; output += kTile) {
    Fp32Product::stage(tile_dy, gpu::TileSource{dy, row, s.rows - row, s.outputs}, output);
    Fp32Product::stage(tile_w, gpu::TileSource{weight, output, s.outputs - output, s.inputs},
                       input);
    __syncthreads();
    Fp32Product::add(sums, tile_dy, tile_w);
    __syncthreads();
  }
  store_tile(sums, row, s.rows, input, s.inputs, dx, [](float sum, std::int64_t) { return sum; });
}

// tile[o, r] = dy[row + r, output + o]; 0 beyond either end.
__device__ void stage_turned(float* tile, const LinearShape& s, const float* dy, std::int64_t row,
                             std::int64_t output) {
  const int o = static_cast<int>(threadIdx.x) % kTile;
  for (int r = static_cast<int>(threadIdx.x) / kTile; r < kTile; r += kTileThreads / kTile) {
    const bool inside = row + r < s.rows && output + o < s.outputs;
    tile[o * Fp32Product::kStride + r] = inside ? dy[(row + r) * s.outputs + output + o] : 0.0F;
  }
}

// Block (i, o, p): dweight of 64 outputs and 64 inputs over part p of the tiles of rows; the blocks
// with i = 0 sum dy too. partial: [parts, outputs, inputs], then dbias' [parts, outputs].
__global__ void __launch_bounds__(kTileThreads)
    linear_weight_kernel(LinearShape s, std::int64_t parts, const float* x, const float* dy,
                         float* weight_partial, float* bias_partial) {
  __shared__ float tile_dy[kTile * Fp32Product::kStride];
  __shared__ float tile_x[kTile * Fp32Product::kStride];
  const std::int64_t input = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t output = std::int64_t{blockIdx.y} * kTile;
  const std::int64_t part = blockIdx.z;
  const std::int64_t tiles = (s.rows + kTile - 1) / kTile;
  const int thread = static_cast<int>(threadIdx.x);
  const bool sums_bias = blockIdx.x == 0 && thread < kTile;
  float bias = 0.0F;
  float sums[kTileSums] = {};
  for (std::int64_t t = tiles * part / parts; t < tiles * (part + 1) / parts; ++t) {
    const std::int64_t row = t * kTile;
    stage_turned(tile_dy, s, dy, row, output);
    Fp32Product::stage(tile_x, gpu::TileSource{x, row, s.rows - row, s.inputs}, input);
    __syncthreads();
    for (int r = 0; sums_bias && r < kTile; ++r) {
      bias += tile_dy[thread * Fp32Product::kStride + r];
    }
    Fp32Product::add(sums, tile_dy, tile_x);
    __syncthreads();
  }
  store_tile(sums, output, s.outputs, input, s.inputs, weight_partial + part * s.outputs * s.inputs,
             [](float sum, std::int64_t) { return sum; });
  if (sums_bias && output + thread < s.outputs) {
    bias_partial[part * s.outputs + output + thread] = bias;
  }
}

// The parts in their order. A thread per element of dweight, then of dbias.
__global__ void __launch_bounds__(kTileThreads)
    linear_join_kernel(std::int64_t parts, std::int64_t weights, std::int64_t outputs,
                       const float* weight_partial, const float* bias_partial, float* dweight,
                       float* dbias) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kTileThreads + threadIdx.x;
  if (i < weights) {
    dweight[i] = gpu::sum_of_parts(weight_partial, parts, weights, i);
  } else if (i < weights + outputs && dbias != nullptr) {
    dbias[i - weights] = gpu::sum_of_parts(bias_partial, parts, outputs, i - weights);
  }
}

}  // namespace

void linear_gpu(const Queue& queue, const LinearShape& shape, const float* x, const float* weight,
                const float* bias, float* y) {
  launch(&linear_kernel, dim3(blocks_for(shape.rows, kTile), blocks_for(shape.outputs, kTile)),
         dim3(kTileThreads), 0, stream_of(queue), shape, x, weight, bias, y);
}

void linear_backward_input_gpu(const Queue& queue, const LinearShape& shape, const float* dy,
                               const float* weight, float* dx) {
  launch(&linear_input_kernel, dim3(blocks_for(shape.rows, kTile), blocks_for(shape.inputs, kTile)),
         dim3(kTileThreads), 0, stream_of(queue), shape, dy, weight, dx);
}

void linear_backward_weight_gpu(const Queue& queue, const LinearShape& shape, const float* x,
                                const float* dy, float* dweight, float* dbias) {
  const cudaStream_t stream = stream_of(queue);
  const std::int64_t weights = shape.outputs * shape.inputs;
  // At least one tile of inputs, without which nobody would sum dy.
  const unsigned input_tiles = std::max(blocks_for(shape.inputs, kTile), 1U);
  const unsigned output_tiles = blocks_for(shape.outputs, kTile);
  const std::int64_t blocks = std::int64_t{input_tiles} * output_tiles;
  const std::int64_t row_tiles = (shape.rows + kTile - 1) / kTile;
  const std::int64_t parts = std::clamp<std::int64_t>(
      (kWantedBlocks + blocks - 1) / blocks, 1, std::clamp<std::int64_t>(row_tiles, 1, kMostParts));
  const CudaScratch<float> partial(stream, parts * (weights + shape.outputs),
                                   "the width of the layer");
  float* bias_partial = partial.get() + parts * weights;
  launch(&linear_weight_kernel, dim3(input_tiles, output_tiles, static_cast<unsigned>(parts)),
         dim3(kTileThreads), 0, stream, shape, parts, x, dy, partial.get(), bias_partial);
  launch(&linear_join_kernel, dim3(blocks_for(weights + shape.outputs, kTileThreads)),
         dim3(kTileThreads), 0, stream, parts, weights, shape.outputs, partial.get(), bias_partial,
         dweight, dbias);
}

}  // namespace rallrec::kernels::detail
