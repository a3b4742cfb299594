#include "core/launch.h"
#include "kernels/gpu/warp_rows.cuh"
#include "kernels/unit_rows_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;

// A warp per row. The second reading of a row comes from L1.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    unit_rows_kernel(std::int64_t rows, UnitRowsArguments a) {
  const std::int64_t row = gpu::warp_row<kWarps>();
  if (row >= rows) {
    return;  // a whole warp
  }
  const std::int64_t first = row * a.columns;
  const float norm = sqrtf(gpu::row_dot<kWidth>(a.x + first, a.x + first, a.columns));
  if (a.norms != nullptr && gpu::lane_of_warp() == 0) {
    a.norms[row] = norm;
  }
  // A product: the code of four divisions would take more registers than there are.
  const float scale = norm == 0.0F ? 1.0F : 1.0F / norm;
  for (std::int64_t c = gpu::lane_of_warp() * kWidth; c < a.columns; c += gpu::kWarp * kWidth) {
    auto values = gpu::load<kWidth>(a.x + first + c);
    for (int i = 0; i < kWidth; ++i) {
      values.v[i] *= scale;
    }
    gpu::store(values, a.y + first + c);
  }
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    unit_rows_backward_kernel(std::int64_t rows, UnitRowsBackwardArguments a) {
  const std::int64_t row = gpu::warp_row<kWarps>();
  if (row >= rows) {
    return;
  }
  const std::int64_t first = row * a.columns;
  const float along = gpu::row_dot<kWidth>(a.y + first, a.dy + first, a.columns);
  const float norm = a.norms[row];
  const float scale = norm == 0.0F ? 0.0F : 1.0F / norm;
  for (std::int64_t c = gpu::lane_of_warp() * kWidth; c < a.columns; c += gpu::kWarp * kWidth) {
    const auto y = gpu::load<kWidth>(a.y + first + c);
    auto values = gpu::load<kWidth>(a.dy + first + c);
    for (int i = 0; i < kWidth; ++i) {
      values.v[i] = (values.v[i] - y.v[i] * along) * scale;
    }
    gpu::store(values, a.dx + first + c);
  }
}

}  // namespace

void unit_rows_gpu(const Queue& queue, std::int64_t rows, const UnitRowsArguments& a) {
  const bool fours = gpu::in_fours(a.columns, a.x, a.y);
  launch(fours ? &unit_rows_kernel<4> : &unit_rows_kernel<1>, dim3(blocks_for(rows, kWarps)),
         dim3(kThreads), 0, stream_of(queue), rows, a);
}

void unit_rows_backward_gpu(const Queue& queue, std::int64_t rows,
                            const UnitRowsBackwardArguments& a) {
  const bool fours = gpu::in_fours(a.columns, a.y, a.dy, a.dx);
  launch(fours ? &unit_rows_backward_kernel<4> : &unit_rows_backward_kernel<1>,
         dim3(blocks_for(rows, kWarps)), dim3(kThreads), 0, stream_of(queue), rows, a);
}

}  // namespace rallrec::kernels::detail
