#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/tile_product.cuh"
#include "kernels/info_nce_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

// The rows are cut into at most this many groups of tiles, the columns into as many stripes; each
// block takes a group with a stripe. Both follow from the sizes alone, and so do the bits.
constexpr std::int64_t kMostGroups = 64;
constexpr std::int64_t kMostStripes = 32;

constexpr int kScoreStride = kTile + 1;
constexpr int kJoinThreads = 256;

// e^maximum * sum is a sum of exponentials.
struct LogSum {
  float maximum;
  float sum;
};

struct Cut {
  std::int64_t row_tiles;
  std::int64_t column_tiles;
  std::int64_t groups;
  std::int64_t stripes;

  explicit Cut(const InfoNceBlock& block)
      : row_tiles((block.rows + kTile - 1) / kTile),
        column_tiles((block.columns + kTile - 1) / kTile),
        groups(std::min(row_tiles, kMostGroups)),
        stripes(std::min(column_tiles, kMostStripes)) {}
};

// What the blocks leave for the second pass: row_sums[stripe][row] and column_sums[group][column].
struct Partial {
  LogSum* row_sums;
  LogSum* column_sums;
};

__device__ LogSum joined(LogSum a, LogSum b) {
  const float maximum = fmaxf(a.maximum, b.maximum);
  if (maximum == -INFINITY) {
    return a;
  }
  return {maximum, a.sum * expf(a.maximum - maximum) + b.sum * expf(b.maximum - maximum)};
}

// Four neighbouring threads take a line of 64 scores, `step` floats apart, and share its sum.
__device__ LogSum sum_of_line(const float* scores, int step) {
  const int part = static_cast<int>(threadIdx.x) % 4;
  float maximum = -INFINITY;
  for (int k = part; k < kTile; k += 4) {
    maximum = fmaxf(maximum, scores[k * step]);
  }
  for (int distance = 1; distance < 4; distance *= 2) {
    maximum = fmaxf(maximum, __shfl_xor_sync(gpu::kAllLanes, maximum, distance));
  }
  float sum = 0.0F;
  for (int k = part; k < kTile && maximum != -INFINITY; k += 4) {
    sum += expf(scores[k * step] - maximum);
  }
  for (int distance = 1; distance < 4; distance *= 2) {
    sum += __shfl_xor_sync(gpu::kAllLanes, sum, distance);
  }
  return {maximum, sum};
}

// One tile of S in shared memory; rows and columns beyond the matrix are -inf. Begins after a
// barrier and ends with one.
template <typename Product>
__device__ void compute_scores(const InfoNceBlock& block, std::int64_t row, std::int64_t column,
                               unsigned char* shared) {
  using Element = typename Product::Element;
  auto* tile_a = reinterpret_cast<Element*>(shared);
  Element* tile_b = tile_a + kTile * Product::kStride;
  float sums[kTileSums];
  gpu::multiply_rows<Product>(sums, {block.x, row, block.rows - row, block.width},
                              {block.y, column, block.columns - column, block.width}, tile_a,
                              tile_b);
  auto* scores = reinterpret_cast<float*>(shared);
  const float scale = 1.0F / block.temperature;
#pragma unroll
  for (int i = 0; i < kTileSums; ++i) {
    const bool inside =
        row + Product::row(i) < block.rows && column + Product::column(i) < block.columns;
    scores[Product::row(i) * kScoreStride + Product::column(i)] =
        inside ? sums[i] * scale : -INFINITY;
  }
  __syncthreads();
}

// Takes up the tile's positives.
__device__ void write_positives(const InfoNceBlock& block, std::int64_t row, std::int64_t column,
                                const float* scores, float* positive) {
  const int i = static_cast<int>(threadIdx.x);
  const std::int64_t j = block.first_row + row + i - column;
  if (i < kTile && row + i < block.rows && j >= 0 && j < kTile) {
    positive[row + i] = scores[i * kScoreStride + j];
  }
}

// Two tiles of the product, then the scores in their place.
template <typename Product>
constexpr std::size_t kSharedBytes = std::max(2 * kTile * Product::kStride *
                                                  sizeof(typename Product::Element),
                                              kTile* kScoreStride * sizeof(float));

// Block (g, s): every tile of group g with every one of stripe s, column by column of tiles. Thread
// t keeps the sums of column t / 4 of the current tiles, and adds to those of row t / 4 in memory,
// which no other thread touches.
template <typename Product>
__global__ void __launch_bounds__(kTileThreads, 2)
    info_nce_forward_kernel(InfoNceBlock block, Cut cut, Partial partial, float* positive) {
  alignas(16) __shared__ unsigned char shared[kSharedBytes<Product>];
  const std::int64_t group = blockIdx.x;
  const std::int64_t stripe = blockIdx.y;
  const int line = static_cast<int>(threadIdx.x) / 4;
  const bool writes = threadIdx.x % 4 == 0;
  const auto* scores = reinterpret_cast<const float*>(shared);
  const std::int64_t first_row = cut.row_tiles * group / cut.groups;
  const std::int64_t last_row = cut.row_tiles * (group + 1) / cut.groups;
  const std::int64_t first_column = cut.column_tiles * stripe / cut.stripes;
  const std::int64_t last_column = cut.column_tiles * (stripe + 1) / cut.stripes;
  for (std::int64_t c = first_column; c < last_column; ++c) {
    LogSum column_sum{-INFINITY, 0.0F};
    for (std::int64_t r = first_row; r < last_row; ++r) {
      const std::int64_t row = r * kTile;
      compute_scores<Product>(block, row, c * kTile, shared);
      write_positives(block, row, c * kTile, scores, positive);
      const LogSum row_sum = sum_of_line(scores + line * kScoreStride, 1);
      column_sum = joined(column_sum, sum_of_line(scores + line, kScoreStride));
      if (writes && row + line < block.rows) {
        LogSum* total = partial.row_sums + stripe * block.rows + row + line;
        *total = c == first_column ? row_sum : joined(*total, row_sum);
      }
      __syncthreads();
    }
    const std::int64_t column = c * kTile + line;
    if (writes && column < block.columns) {
      partial.column_sums[group * block.columns + column] = column_sum;
    }
  }
}

// lse[i] = log of the sum over parts, in their order, in double.
__global__ void __launch_bounds__(kJoinThreads)
    join_log_sums_kernel(const LogSum* partial, std::int64_t parts, std::int64_t count,
                         double* lse) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kJoinThreads + threadIdx.x;
  if (i >= count) {
    return;
  }
  float maximum = -INFINITY;
  for (std::int64_t p = 0; p < parts; ++p) {
    maximum = fmaxf(maximum, partial[p * count + i].maximum);
  }
  double sum = 0.0;
  for (std::int64_t p = 0; p < parts; ++p) {
    const LogSum part = partial[p * count + i];
    sum += part.sum * exp(double{part.maximum} - maximum);
  }
  lse[i] = maximum + log(sum);
}

__global__ void __launch_bounds__(kJoinThreads)
    combine_column_lse_kernel(const double* partial, std::int64_t blocks, std::int64_t columns,
                              double* result) {
  const std::int64_t j = std::int64_t{blockIdx.x} * kJoinThreads + threadIdx.x;
  if (j >= columns) {
    return;
  }
  double maximum = -INFINITY;
  for (std::int64_t b = 0; b < blocks; ++b) {
    maximum = fmax(maximum, partial[b * columns + j]);
  }
  double sum = 0.0;
  for (std::int64_t b = 0; b < blocks && maximum != -INFINITY; ++b) {
    sum += exp(partial[b * columns + j] - maximum);
  }
  result[j] = maximum == -INFINITY ? maximum : maximum + log(sum);
}

// One block: a thread takes every 256th row.
__global__ void __launch_bounds__(kJoinThreads)
    info_nce_loss_kernel(InfoNceBlock block, const double* row_lse, const double* column_lse,
                         const float* positive, double* result) {
  __shared__ double partial[kJoinThreads / gpu::kWarp];
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < block.rows; i += kJoinThreads) {
    sum += row_lse[i] + column_lse[block.first_row + i] - 2.0 * positive[i];
  }
  sum = gpu::block_sum<kJoinThreads / gpu::kWarp>(sum, partial);
  if (threadIdx.x == 0) {
    *result = sum;
  }
}

}  // namespace

void info_nce_forward_gpu(const Queue& queue, const InfoNceBlock& block, double* row_lse,
                          double* column_lse, float* positive) {
  const cudaStream_t stream = stream_of(queue);
  if (block.rows == 0) {
    launch(&combine_column_lse_kernel, blocks_for(block.columns, kJoinThreads), dim3(kJoinThreads),
           0, stream, column_lse, 0, block.columns, column_lse);
    return;
  }
  const Cut cut(block);
  const CudaScratch<LogSum> sums(stream, cut.stripes * block.rows + cut.groups * block.columns,
                                 "the number of ranks");
  const Partial partial{sums.get(), sums.get() + cut.stripes * block.rows};
  const dim3 grid(static_cast<unsigned>(cut.groups), static_cast<unsigned>(cut.stripes));
  const auto kernel = block.bf16 ? &info_nce_forward_kernel<gpu::Bf16Product>
                                 : &info_nce_forward_kernel<gpu::Fp32Product>;
  launch(kernel, grid, dim3(kTileThreads), 0, stream, block, cut, partial, positive);
  launch(&join_log_sums_kernel, blocks_for(block.rows, kJoinThreads), dim3(kJoinThreads), 0, stream,
         partial.row_sums, cut.stripes, block.rows, row_lse);
  launch(&join_log_sums_kernel, blocks_for(block.columns, kJoinThreads), dim3(kJoinThreads), 0,
         stream, partial.column_sums, cut.groups, block.columns, column_lse);
}

void combine_column_lse_gpu(const Queue& queue, const double* partial, std::int64_t blocks,
                            std::int64_t columns, double* result) {
  launch(&combine_column_lse_kernel, blocks_for(columns, kJoinThreads), dim3(kJoinThreads), 0,
         stream_of(queue), partial, blocks, columns, result);
}

void info_nce_loss_gpu(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                       const double* column_lse, const float* positive, double* sum) {
  launch(&info_nce_loss_kernel, dim3(1), dim3(kJoinThreads), 0, stream_of(queue), block, row_lse,
         column_lse, positive, sum);
}

}  // namespace rallrec::kernels::detail
