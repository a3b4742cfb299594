#include "core/launch.h"
#include "kernels/chosen_rows_gpu.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp_rows.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;

// A warp per position of the list and strip of 32 · kWidth columns; the strips lie along
// blockIdx.y. The warp at the first of equal rows adds them all, the others leave. Four are loaded
// before the first is added, so that four reads are on their way at once.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    add_to_chosen_rows_kernel(std::int64_t count, std::int64_t columns, const std::int64_t* rows,
                              const float* y, float* x) {
  constexpr int kAhead = 4;
  const std::int64_t first = gpu::warp_row<kWarps>();
  const std::int64_t c = (std::int64_t{blockIdx.y} * gpu::kWarp + gpu::lane_of_warp()) * kWidth;
  if (first >= count || c >= columns || (first > 0 && rows[first - 1] == rows[first])) {
    return;
  }
  const std::int64_t row = rows[first];
  float* to = x + row * columns + c;
  auto sum = gpu::load<kWidth>(to);
  for (std::int64_t i = first; i < count && rows[i] == row; i += kAhead) {
    gpu::Floats<kWidth> values[kAhead] = {};
    bool equal[kAhead];
    for (int k = 0; k < kAhead; ++k) {
      equal[k] = i + k < count && rows[i + k] == row;
      if (equal[k]) {
        values[k] = gpu::load<kWidth>(y + (i + k) * columns + c);
      }
    }
    for (int k = 0; k < kAhead; ++k) {
      for (int j = 0; equal[k] && j < kWidth; ++j) {
        sum.v[j] += values[k].v[j];
      }
    }
  }
  gpu::store(sum, to);
}

// A warp per row and strip, as above.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    copy_to_chosen_rows_kernel(std::int64_t count, std::int64_t columns, const std::int64_t* rows,
                               const float* y, float* x) {
  const std::int64_t i = gpu::warp_row<kWarps>();
  const std::int64_t c = (std::int64_t{blockIdx.y} * gpu::kWarp + gpu::lane_of_warp()) * kWidth;
  if (i < count && c < columns) {
    gpu::store(gpu::load<kWidth>(y + i * columns + c), x + rows[i] * columns + c);
  }
}

using Kernel = void(std::int64_t, std::int64_t, const std::int64_t*, const float*, float*);

// `fours` walks four columns at a time, `ones` one.
void start(const Queue& queue, Kernel* fours, Kernel* ones, std::int64_t count,
           std::int64_t columns, const std::int64_t* rows, const float* y, float* x) {
  const bool wide = gpu::in_fours(columns, y, x);
  const std::int64_t strip = gpu::kWarp * (wide ? 4 : 1);
  launch(wide ? fours : ones, dim3(blocks_for(count, kWarps), blocks_for(columns, strip)),
         dim3(kThreads), 0, stream_of(queue), count, columns, rows, y, x);
}

}  // namespace

void copy_to_chosen_rows_gpu(const Queue& queue, std::int64_t count, std::int64_t columns,
                             const std::int64_t* rows, const float* y, float* x) {
  start(queue, &copy_to_chosen_rows_kernel<4>, &copy_to_chosen_rows_kernel<1>, count, columns, rows,
        y, x);
}

void add_to_chosen_rows_gpu(const Queue& queue, std::int64_t count, std::int64_t columns,
                            const std::int64_t* rows, const float* y, float* x) {
  start(queue, &add_to_chosen_rows_kernel<4>, &add_to_chosen_rows_kernel<1>, count, columns, rows,
        y, x);
}

}  // namespace rallrec::kernels::detail
