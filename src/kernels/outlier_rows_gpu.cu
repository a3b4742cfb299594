#include <cuda_runtime.h>

#include <cstdint>

#include "core/launch.h"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/outlier_rows_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;
constexpr int kRows = 64;  // of y, of a block
constexpr int kRowsOfWarp = kRows / kWarps;
constexpr int kColumns = gpu::kWarp;  // of y, which are rows of W: one to a lane
constexpr int kDepth = 512;           // of W in shared memory at a time
// Words from row to row in shared memory: the lanes read one column of 32 rows in as many banks.
constexpr int kStride = kDepth / 4 + 1;
// Up to as many rows with outliers read W where it lies: a few bytes of each of its rows. A tile in
// shared memory pays from there on.
constexpr int kFewRows = 4;

struct SlotsTask {
  ProductShape shape;
  OutlierSlots outliers;
  const std::int8_t* w;
  const float* column_scale;
  bool in_words;  // rows of W may be walked four bytes at a time
  float* y;
};

__device__ inline int slots_of(const SlotsTask& task, std::int64_t row) {
  const std::int64_t count = row < task.shape.rows ? task.outliers.counts[row] : 0;
  return count <= task.outliers.capacity ? static_cast<int>(count) : 0;
}

// The sum that a lane makes of a row's slots, and how far it has come.
struct Cursor {
  int slot;
  int end;
  float sum;
};

__device__ inline std::int64_t row_of_cursor(int n) {
  return std::int64_t{blockIdx.y} * kRows + threadIdx.x / gpu::kWarp + n * kWarps;
}

// Adds the slots below column first + count; weights[0] is that of column `first`.
__device__ void add_slots(const SlotsTask& task, int n, const std::int8_t* weights,
                          std::int64_t first, std::int64_t count, Cursor& cursor) {
  const std::int64_t slots = row_of_cursor(n) * task.outliers.capacity;
#pragma unroll 1
  for (; cursor.slot < cursor.end; ++cursor.slot) {
    const std::int64_t place = task.outliers.columns[slots + cursor.slot] - first;
    if (place >= count) {
      return;
    }
    cursor.sum = fmaf(task.outliers.values[slots + cursor.slot], static_cast<float>(weights[place]),
                      cursor.sum);
  }
}

// Columns first … first + kDepth of rows j … j + kColumns of W; 0 beyond.
__device__ void stage_weights(const SlotsTask& task, std::int64_t j, std::int64_t first,
                              unsigned* tile) {
  const std::int64_t depth = task.shape.depth;
  for (int i = static_cast<int>(threadIdx.x); i < kColumns * kDepth / 4; i += kThreads) {
    const std::int64_t row = j + i / (kDepth / 4);
    const std::int64_t column = first + i % (kDepth / 4) * 4;
    unsigned word = 0;
    if (row < task.shape.columns && column < depth) {
      const std::int8_t* from = task.w + row * depth + column;
      if (task.in_words) {
        word = *reinterpret_cast<const unsigned*>(from);
      } else {
        for (int b = 0; b < 4 && column + b < depth; ++b) {
          word |= static_cast<unsigned>(static_cast<std::uint8_t>(from[b])) << (8 * b);
        }
      }
    }
    tile[i / (kDepth / 4) * kStride + i % (kDepth / 4)] = word;
  }
}

// Of the rows w, w + 8, … of the block, w = this thread's warp.
__device__ void sum_slots(const SlotsTask& task, std::int64_t j, bool few,
                          Cursor (&cursors)[kRowsOfWarp]) {
  __shared__ unsigned tile[kColumns * kStride];
  const int lane = static_cast<int>(threadIdx.x) % gpu::kWarp;
  const std::int64_t count = few ? task.shape.depth : kDepth;
  const auto* weights = reinterpret_cast<const std::int8_t*>(tile + lane * kStride);
  if (few) {
    weights = task.w + min(j + lane, task.shape.columns - 1) * task.shape.depth;
  }
  for (std::int64_t first = 0; first < task.shape.depth; first += count) {
    if (!few) {
      stage_weights(task, j, first, tile);
      __syncthreads();
    }
#pragma unroll
    for (int n = 0; n < kRowsOfWarp; ++n) {
      add_slots(task, n, weights, first, count, cursors[n]);
    }
    if (!few) {
      __syncthreads();
    }
  }
}

// Block (j, r): 32 columns of y, 64 rows. The lanes of a warp share a row, whose slots they read
// together, and have a column each. Both ways of reading W make the same bits.
__global__ void __launch_bounds__(kThreads, 3) outlier_rows_kernel(SlotsTask task) {
  const std::int64_t row = std::int64_t{blockIdx.y} * kRows;
  const std::int64_t j = std::int64_t{blockIdx.x} * kColumns;
  const int mine = static_cast<int>(threadIdx.x);
  const int busy = __syncthreads_count(mine < kRows && slots_of(task, row + mine) > 0 ? 1 : 0);
  if (busy == 0) {
    return;
  }
  Cursor cursors[kRowsOfWarp];
#pragma unroll
  for (int n = 0; n < kRowsOfWarp; ++n) {
    cursors[n] = {0, slots_of(task, row_of_cursor(n)), 0.0F};
  }
  sum_slots(task, j, busy <= kFewRows, cursors);
  const std::int64_t column = j + mine % gpu::kWarp;
  if (column >= task.shape.columns) {
    return;
  }
  const float scale = task.column_scale == nullptr ? 1.0F : task.column_scale[column];
#pragma unroll
  for (int n = 0; n < kRowsOfWarp; ++n) {
    if (cursors[n].end > 0) {
      float* to = task.y + row_of_cursor(n) * task.shape.columns + column;
      *to = fmaf(scale, cursors[n].sum, *to);
    }
  }
}

// Block (i, p): a row of y, kWidth values to a thread. Four slots are loaded ahead.
template <int kWidth>
__global__ void __launch_bounds__(kThreads) outlier_rows_transposed_kernel(SlotsTask task) {
  const std::int64_t i = blockIdx.x;
  const std::int64_t k = (std::int64_t{blockIdx.y} * kThreads + threadIdx.x) * kWidth;
  const int count = slots_of(task, i);
  if (count == 0 || k >= task.shape.depth) {
    return;
  }
  const std::int64_t first = i * task.outliers.capacity;
  float sums[kWidth] = {};
#pragma unroll 4
  for (int slot = 0; slot < count; ++slot) {
    const std::int64_t j = task.outliers.columns[first + slot];
    const float value = task.outliers.values[first + slot];
    const auto weights = *reinterpret_cast<const gpu::StoredVector<std::int8_t, kWidth>*>(
        task.w + j * task.shape.depth + k);
#pragma unroll
    for (int n = 0; n < kWidth; ++n) {
      sums[n] = fmaf(value, static_cast<float>(weights.v[n]), sums[n]);
    }
  }
  float* to = task.y + i * task.shape.depth + k;
  auto values = gpu::load<kWidth>(to);
#pragma unroll
  for (int n = 0; n < kWidth; ++n) {
    values.v[n] += sums[n];
  }
  gpu::store(values, to);
}

bool in_words(const ProductShape& shape, const std::int8_t* w) {
  return shape.depth % 4 == 0 && reinterpret_cast<std::uintptr_t>(w) % 4 == 0;
}

}  // namespace

void add_outlier_rows_gpu(const Queue& queue, const ProductShape& shape,
                          const OutlierSlots& outliers, const std::int8_t* w,
                          const float* column_scale, float* y) {
  launch(&outlier_rows_kernel,
         dim3(blocks_for(shape.columns, kColumns), blocks_for(shape.rows, kRows)), dim3(kThreads),
         0, stream_of(queue), SlotsTask{shape, outliers, w, column_scale, in_words(shape, w), y});
}

void add_outlier_rows_transposed_gpu(const Queue& queue, const ProductShape& shape,
                                     const OutlierSlots& outliers, const std::int8_t* w, float* y) {
  const bool fours = in_words(shape, w) && gpu::in_fours(shape.depth, y);
  launch(fours ? &outlier_rows_transposed_kernel<4> : &outlier_rows_transposed_kernel<1>,
         dim3(static_cast<unsigned>(shape.rows),
              blocks_for(shape.depth, std::int64_t{kThreads} * (fours ? 4 : 1))),
         dim3(kThreads), 0, stream_of(queue),
         SlotsTask{shape, outliers, w, nullptr, in_words(shape, w), y});
}

}  // namespace rallrec::kernels::detail
