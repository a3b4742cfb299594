#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/swi_glu_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

__device__ inline float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

// The first of this thread's kWidth elements.
template <int kWidth>
__device__ std::int64_t first_element() {
  return (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    swi_glu_kernel(std::int64_t count, const float* gate, const float* up, float* y) {
  const std::int64_t i = first_element<kWidth>();
  if (i >= count) {
    return;
  }
  auto g = gpu::load<kWidth>(gate + i);
  const auto u = gpu::load<kWidth>(up + i);
  for (int k = 0; k < kWidth; ++k) {
    g.v[k] = g.v[k] * sigmoid(g.v[k]) * u.v[k];
  }
  gpu::store(g, y + i);
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    swi_glu_backward_kernel(std::int64_t count, const float* gate, const float* up, const float* dy,
                            float* d_gate, float* d_up) {
  const std::int64_t i = first_element<kWidth>();
  if (i >= count) {
    return;
  }
  auto g = gpu::load<kWidth>(gate + i);
  auto u = gpu::load<kWidth>(up + i);
  const auto d = gpu::load<kWidth>(dy + i);
  for (int k = 0; k < kWidth; ++k) {
    const float s = sigmoid(g.v[k]);
    const float by_up = d.v[k] * g.v[k] * s;
    g.v[k] = d.v[k] * u.v[k] * s * (1.0F + g.v[k] * (1.0F - s));
    u.v[k] = by_up;
  }
  gpu::store(g, d_gate + i);
  gpu::store(u, d_up + i);
}

}  // namespace

void swi_glu_gpu(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                 float* y) {
  const bool fours = gpu::in_fours(count, gate, up, y);
  launch(fours ? &swi_glu_kernel<4> : &swi_glu_kernel<1>,
         blocks_for(count, fours ? 4 * kThreads : kThreads), dim3(kThreads), 0, stream_of(queue),
         count, gate, up, y);
}

void swi_glu_backward_gpu(const Queue& queue, std::int64_t count, const float* gate,
                          const float* up, const float* dy, float* d_gate, float* d_up) {
  const bool fours = gpu::in_fours(count, gate, up, dy, d_gate, d_up);
  launch(fours ? &swi_glu_backward_kernel<4> : &swi_glu_backward_kernel<1>,
         blocks_for(count, fours ? 4 * kThreads : kThreads), dim3(kThreads), 0, stream_of(queue),
         count, gate, up, dy, d_gate, d_up);
}

}  // namespace rallrec::kernels::detail
