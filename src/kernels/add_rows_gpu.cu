#include "core/launch.h"
#include "kernels/add_rows_gpu.h"
#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// A thread per kWidth columns, which no other thread touches: the additions need no barrier.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    add_rows_kernel(const RowAddition* additions, std::int64_t count, std::int64_t width,
                    float* values) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
  if (i >= width) {
    return;
  }
  for (std::int64_t a = 0; a < count; ++a) {
    float* into = values + additions[a].into * width + i;
    auto sum = gpu::load<kWidth>(into);
    const auto term = gpu::load<kWidth>(values + additions[a].from * width + i);
    for (int k = 0; k < kWidth; ++k) {
      sum.v[k] += term.v[k];
    }
    gpu::store(sum, into);
  }
}

}  // namespace

void add_rows_gpu(const Queue& queue, const RowAddition* additions, std::int64_t count,
                  std::int64_t width, float* values) {
  const bool fours = gpu::in_fours(width, values);
  launch(fours ? &add_rows_kernel<4> : &add_rows_kernel<1>,
         dim3(blocks_for(width, fours ? 4 * kThreads : kThreads)), dim3(kThreads), 0,
         stream_of(queue), additions, count, width, values);
}

}  // namespace rallrec::kernels::detail
