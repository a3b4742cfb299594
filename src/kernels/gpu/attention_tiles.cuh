#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"

// Products of fp32 tiles on the CUDA cores by a block of 256 threads, for attention. A tile is up
// to 64 rows of 64 columns; a matrix wider than that is several tiles side by side.
//
// A thread's part of a product is kRows rows, 16 apart, and 4 columns: of scores (A · Bᵀ) also 16
// apart, of results (A · B) neighbours. So the 16 threads of half a warp hold whole rows of both,
// and what they write of a tile of scores nobody else reads. All operands come from shared memory
// 16 bytes at a time: 8 such loads feed 64 multiply-adds of a thread with 4 rows.
namespace rallrec::kernels::gpu {

constexpr int kAttentionThreads = 256;
constexpr int kSide = 64;
constexpr int kLanesPerRow = 16;
constexpr int kColumnsPerThread = kSide / kLanesPerRow;
constexpr int kRowStep = kAttentionThreads / kLanesPerRow;
// 17 times 16 bytes, so that one column of 8 neighbouring rows is in 8 different groups of banks.
constexpr int kSideStride = kSide + 4;

// Floats of a tile in which each thread has kRows rows.
template <int kRows>
constexpr int kSideFloats = kSideStride*(kRows* kRowStep);

template <int kRows>
using Part = float[kRows][kColumnsPerThread];

__device__ inline int lane_of_row() { return static_cast<int>(threadIdx.x) % kLanesPerRow; }
__device__ inline int part_row(int i) {
  return static_cast<int>(threadIdx.x) / kLanesPerRow + i * kRowStep;
}
__device__ inline int score_column(int j) { return lane_of_row() + j * kLanesPerRow; }
__device__ inline int result_column() { return lane_of_row() * kColumnsPerThread; }

// Sum and maximum over the threads of a row, the same bits in each. All lanes must call.
__device__ inline float sum_of_row(float value) {
  for (int step = kLanesPerRow / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, step);
  }
  return value;
}

__device__ inline float max_of_row(float value) {
  for (int step = kLanesPerRow / 2; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// How rows in global memory are read: their width, and whether in fours (floats.cuh).
struct RowAccess {
  int width;
  bool fours;
};

__device__ inline Floats<4> load_columns(const float* row, int column, const RowAccess& access) {
  Floats<4> values{};
  if (access.fours) {
    return column < access.width ? load<4>(row + column) : values;
  }
  for (int i = 0; i < 4 && column + i < access.width; ++i) {
    values.v[i] = row[column + i];
  }
  return values;
}

__device__ inline void store_columns(const float (&values)[kColumnsPerThread], float* row,
                                     int column, const RowAccess& access) {
  if (access.fours && column < access.width) {
    store(Floats<4>{{values[0], values[1], values[2], values[3]}}, row + column);
  }
  for (int i = 0; !access.fours && i < kColumnsPerThread && column + i < access.width; ++i) {
    row[column + i] = values[i];
  }
}

// tile = 64 columns, from `column` on, of rows first, first + 1, …; rows(r) is where row r begins,
// null beyond the last. What is beyond the rows or their width is 0.
template <int kRows, typename Rows>
__device__ void stage_side(float* tile, const Rows& rows, int first, int column,
                           const RowAccess& access) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const float* row = rows(first + part_row(i));
    store(row == nullptr ? Floats<4>{} : load_columns(row, column + result_column(), access),
          tile + part_row(i) * kSideStride + result_column());
  }
}

// All columns of those rows, as tiles side by side.
template <int kRows, int kTiles, typename Rows>
__device__ void stage_wide(float* tiles, const Rows& rows, int first, const RowAccess& access) {
#pragma unroll
  for (int w = 0; w < kTiles; ++w) {
    stage_side<kRows>(tiles + w * kSideFloats<kRows>, rows, first, w * kSide, access);
  }
}

// The loops over the depth of a product are not unrolled further than the 4 of a load: what that
// would keep in flight spills in kernels that hold two operands and two results.

// scores += A · Bᵀ over the first `depth` columns (what follows up to a multiple of 4 is 0). A has
// kRows rows per thread, B 64 rows.
template <int kRows>
__device__ void add_scores(Part<kRows>& scores, const float* a, const float* b, int depth) {
#pragma unroll 1
  for (int k = 0; k < depth; k += 4) {
    Floats<4> right[kColumnsPerThread];
#pragma unroll
    for (int j = 0; j < kColumnsPerThread; ++j) {
      right[j] = load<4>(b + score_column(j) * kSideStride + k);
    }
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const auto left = load<4>(a + part_row(i) * kSideStride + k);
#pragma unroll
      for (int j = 0; j < kColumnsPerThread; ++j) {
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          scores[i][j] += left.v[c] * right[j].v[c];
        }
      }
    }
  }
}

// result += A · B over 64 columns of A, which are rows of B.
template <int kRows>
__device__ void add_result(Part<kRows>& result, const float* a, const float* b) {
#pragma unroll 1
  for (int k = 0; k < kSide; k += 4) {
    Floats<4> right[4];
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      right[c] = load<4>(b + (k + c) * kSideStride + result_column());
    }
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const auto left = load<4>(a + part_row(i) * kSideStride + k);
#pragma unroll
      for (int c = 0; c < 4; ++c) {
#pragma unroll
        for (int j = 0; j < kColumnsPerThread; ++j) {
          result[i][j] += left.v[c] * right[c].v[j];
        }
      }
    }
  }
}

// scores = A · Bᵀ, A held as tiles side by side, B row by row from global memory by way of `chunk`,
// a tile of 64 rows. Begins with a barrier; ends with the last columns of B in `chunk`.
template <int kRows, int kTiles, typename Rows>
__device__ void multiply_held(Part<kRows>& scores, const float* held, float* chunk,
                              const Rows& rows, int first, const RowAccess& access) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    for (float& score : scores[i]) {
      score = 0.0F;
    }
  }
#pragma unroll
  for (int w = 0; w < kTiles; ++w) {
    if (w * kSide < access.width) {
      __syncthreads();
      stage_side<kSide / kRowStep>(chunk, rows, first, w * kSide, access);
      __syncthreads();
      add_scores<kRows>(scores, held + w * kSideFloats<kRows>, chunk,
                        min(kSide, access.width - w * kSide));
    }
  }
}

// result[w] += A · B of columns w · 64 and on, A in the shared memory that each half of a warp
// wrote its own rows of. With `kStaged` the last columns of B are in `chunk` already.
template <bool kStaged, int kRows, int kTiles, typename Rows>
__device__ void add_results(Part<kRows> (&result)[kTiles], const float* a, float* chunk,
                            const Rows& rows, int first, const RowAccess& access) {
  const int last = (access.width - 1) / kSide;
  __syncwarp();
#pragma unroll
  for (int step = 0; step < kTiles; ++step) {
    const int w = kTiles - 1 - step;
    if (w * kSide < access.width) {
      if (!kStaged || w != last) {
        __syncthreads();
        stage_side<kSide / kRowStep>(chunk, rows, first, w * kSide, access);
        __syncthreads();
      }
      add_result<kRows>(result[w], a, chunk);
    }
  }
  __syncwarp();
}

// Writes this thread's part of tile w of a result to row part_row(i), where there is one.
template <int kRows, int kTiles>
__device__ void store_result(const Part<kRows> (&result)[kTiles], int i, float* row,
                             const RowAccess& access) {
#pragma unroll
  for (int w = 0; w < kTiles; ++w) {
    store_columns(result[w][i], row, w * kSide + result_column(), access);
  }
}

}  // namespace rallrec::kernels::gpu
