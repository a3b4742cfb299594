#include <cuda_runtime.h>

#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/spmm_gpu.h"

namespace rallrec::kernels::detail {
namespace {

// Rows that one block takes, a warp each.
constexpr int kWarps = 8;

struct Dense {
  const float* x;
  std::int64_t width;
  const float* addend;
  float scale;
  float* y;
};

// Block (r, f): eight rows, and a tile of 32 * kWidth columns of x, kWidth of them per lane. The
// lanes read 32 entries of the row at once and pass them round, so that each is read once and every
// element of y is summed by one thread in the order of the row.
template <int kWidth>
__global__ void __launch_bounds__(kWarps* gpu::kWarp) spmm_kernel(CsrView a, Dense d) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  const int lane = static_cast<int>(threadIdx.x) % gpu::kWarp;
  if (row >= a.rows) {
    return;  // a whole warp
  }
  const std::int64_t column = (std::int64_t{blockIdx.y} * gpu::kWarp + lane) * kWidth;
  const bool inside = column < d.width;
  const std::int64_t end = a.row_offsets[row + 1];
  gpu::Floats<kWidth> sum{};
  for (std::int64_t first = a.row_offsets[row]; first < end; first += gpu::kWarp) {
    const bool mine = first + lane < end;
    const std::int32_t index = mine ? a.column_indices[first + lane] : 0;
    const float value = mine ? a.values[first + lane] : 0.0F;
    const auto count = static_cast<int>(min(std::int64_t{gpu::kWarp}, end - first));
#pragma unroll 4
    for (int k = 0; k < count; ++k) {
      const std::int64_t from = __shfl_sync(gpu::kAllLanes, index, k);
      const float factor = __shfl_sync(gpu::kAllLanes, value, k);
      if (inside) {
        const auto x = gpu::load<kWidth>(d.x + from * d.width + column);
        for (int i = 0; i < kWidth; ++i) {
          sum.v[i] += factor * x.v[i];
        }
      }
    }
  }
  if (!inside) {
    return;
  }
  const std::int64_t at = row * d.width + column;
  if (d.addend != nullptr) {
    const auto addend = gpu::load<kWidth>(d.addend + at);
    for (int i = 0; i < kWidth; ++i) {
      sum.v[i] += addend.v[i];
    }
  }
  for (int i = 0; i < kWidth; ++i) {
    sum.v[i] *= d.scale;
  }
  gpu::store(sum, d.y + at);
}

template <int kWidth>
void launch_tiles(const Queue& queue, const CsrView& matrix, const Dense& dense) {
  constexpr std::int64_t kColumns = gpu::kWarp * kWidth;
  const dim3 grid(blocks_for(matrix.rows, kWarps), blocks_for(dense.width, kColumns));
  launch(&spmm_kernel<kWidth>, grid, dim3(kWarps * gpu::kWarp), 0, stream_of(queue), matrix, dense);
}

}  // namespace

void spmm_gpu(const Queue& queue, const CsrView& matrix, const float* x, std::int64_t width,
              const float* addend, float scale, float* y) {
  const Dense dense{x, width, addend, scale, y};
  // At width 64 two elements per lane keep all lanes busy.
  if (width > 64 && gpu::in_fours(width, x, addend, y)) {
    launch_tiles<4>(queue, matrix, dense);
  } else if (width > 32 && gpu::in_fours(width, x, addend, y)) {
    launch_tiles<2>(queue, matrix, dense);
  } else {
    launch_tiles<1>(queue, matrix, dense);
  }
}

}  // namespace rallrec::kernels::detail
