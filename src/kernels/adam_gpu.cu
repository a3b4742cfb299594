#include "core/launch.h"
#include "kernels/adam_gpu.h"
#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

template <int kWidth>
__device__ void update(const AdamRates& rates, const gpu::Floats<kWidth>& g, gpu::Floats<kWidth>& p,
                       gpu::Floats<kWidth>& m, gpu::Floats<kWidth>& v) {
  for (int k = 0; k < kWidth; ++k) {
    m.v[k] += static_cast<float>(1.0 - kAdamBeta1) * (g.v[k] - m.v[k]);
    v.v[k] = static_cast<float>(kAdamBeta2) * v.v[k] +
             static_cast<float>(1.0 - kAdamBeta2) * g.v[k] * g.v[k];
    const float denominator =
        sqrtf(v.v[k]) / rates.root_correction + static_cast<float>(kAdamEpsilon);
    p.v[k] -= rates.step_size * (m.v[k] / denominator);
  }
}

// A thread per kWidth elements.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    adam_kernel(AdamRates rates, const AdamRates* stored, AdamArguments a) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
  if (i >= a.count) {
    return;
  }
  if (stored != nullptr) {
    rates = *stored;
  }
  const auto g = gpu::load<kWidth>(a.gradient + i);
  auto p = gpu::load<kWidth>(a.parameters + i);
  auto m = gpu::load<kWidth>(a.first_moment + i);
  auto v = gpu::load<kWidth>(a.second_moment + i);
  update(rates, g, p, m, v);
  gpu::store(p, a.parameters + i);
  gpu::store(m, a.first_moment + i);
  gpu::store(v, a.second_moment + i);
}

// A thread per kWidth neighbours of a row.
template <int kWidth>
__global__ void __launch_bounds__(kThreads) adam_rows_kernel(AdamRows a) {
  const std::int64_t per_row = a.width / kWidth;
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= a.count * per_row) {
    return;
  }
  const std::int64_t row = i / per_row;
  const std::int64_t c = (i - row * per_row) * kWidth;
  const std::int64_t at = a.places[row] * a.width + c;
  auto g = gpu::load<kWidth>(a.gradients + row * a.width + c);
  auto p = gpu::load<kWidth>(a.values + at);
  auto m = gpu::load<kWidth>(a.first_moment + at);
  auto v = gpu::load<kWidth>(a.second_moment + at);
  for (int k = 0; k < kWidth; ++k) {
    g.v[k] += a.l2 * p.v[k];
  }
  update(a.rates[row], g, p, m, v);
  gpu::store(p, a.values + at);
  gpu::store(m, a.first_moment + at);
  gpu::store(v, a.second_moment + at);
}

}  // namespace

void adam_rows_gpu(const Queue& queue, const AdamRows& a) {
  const bool fours = gpu::in_fours(a.width, a.gradients, a.values, a.first_moment, a.second_moment);
  launch(fours ? &adam_rows_kernel<4> : &adam_rows_kernel<1>,
         dim3(blocks_for(a.count * a.width, fours ? 4 * kThreads : kThreads)), dim3(kThreads), 0,
         stream_of(queue), a);
}

void adam_gpu(const Queue& queue, const AdamRates& rates, const AdamRates* stored,
              const AdamArguments& a) {
  const bool fours =
      gpu::in_fours(a.count, a.gradient, a.parameters, a.first_moment, a.second_moment);
  launch(fours ? &adam_kernel<4> : &adam_kernel<1>,
         blocks_for(a.count, fours ? 4 * kThreads : kThreads), dim3(kThreads), 0, stream_of(queue),
         rates, stored, a);
}

}  // namespace rallrec::kernels::detail
