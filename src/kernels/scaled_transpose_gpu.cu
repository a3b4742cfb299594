#include <cstdint>

#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/scaled_transpose_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32;
constexpr int kRowsAtOnce = kThreads / kTile;

// A block per tile, the tiles of a row of tiles side by side. A warp reads a row of the tile and
// writes a column of it; rows are 33 floats apart, so that a column lies in 32 banks.
__global__ void __launch_bounds__(kThreads)
    scaled_transpose_kernel(std::int64_t rows, std::int64_t columns, float scale, const float* x,
                            float* y) {
  __shared__ float tile[kTile][kTile + 1];
  const std::int64_t across = (columns + kTile - 1) / kTile;
  const std::int64_t row = blockIdx.x / across * kTile;
  const std::int64_t column = blockIdx.x % across * kTile;
  const int lane = static_cast<int>(threadIdx.x) % kTile;
  const int first = static_cast<int>(threadIdx.x) / kTile;
#pragma unroll
  for (int r = first; r < kTile; r += kRowsAtOnce) {
    if (row + r < rows && column + lane < columns) {
      tile[r][lane] = x[(row + r) * columns + column + lane];
    }
  }
  __syncthreads();
#pragma unroll
  for (int c = first; c < kTile; c += kRowsAtOnce) {
    if (column + c < columns && row + lane < rows) {
      y[(column + c) * rows + row + lane] = scale * tile[lane][c];
    }
  }
}

// A thread per kWidth values.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    scale_values_kernel(std::int64_t count, float scale, float* x) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
  if (i < count) {
    auto values = gpu::load<kWidth>(x + i);
    for (float& value : values.v) {
      value *= scale;
    }
    gpu::store(values, x + i);
  }
}

}  // namespace

void scaled_transpose_gpu(const Queue& queue, std::int64_t rows, std::int64_t columns, float scale,
                          const float* x, float* y) {
  const std::int64_t tiles =
      std::int64_t{blocks_for(rows, kTile)} * std::int64_t{blocks_for(columns, kTile)};
  launch(&scaled_transpose_kernel, dim3(static_cast<unsigned>(tiles)), dim3(kThreads), 0,
         stream_of(queue), rows, columns, scale, x, y);
}

void scale_values_gpu(const Queue& queue, std::int64_t count, float scale, float* x) {
  const bool fours = gpu::in_fours(count, x);
  launch(fours ? &scale_values_kernel<4> : &scale_values_kernel<1>,
         dim3(blocks_for(count, kThreads * (fours ? 4 : 1))), dim3(kThreads), 0, stream_of(queue),
         count, scale, x);
}

}  // namespace rallrec::kernels::detail
