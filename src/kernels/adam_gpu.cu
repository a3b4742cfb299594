#include "core/launch.h"
#include "kernels/adam_gpu.h"
#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

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
  for (int k = 0; k < kWidth; ++k) {
    m.v[k] += static_cast<float>(1.0 - kAdamBeta1) * (g.v[k] - m.v[k]);
    v.v[k] = static_cast<float>(kAdamBeta2) * v.v[k] +
             static_cast<float>(1.0 - kAdamBeta2) * g.v[k] * g.v[k];
    const float denominator =
        sqrtf(v.v[k]) / rates.root_correction + static_cast<float>(kAdamEpsilon);
    p.v[k] -= rates.step_size * (m.v[k] / denominator);
  }
  gpu::store(p, a.parameters + i);
  gpu::store(m, a.first_moment + i);
  gpu::store(v, a.second_moment + i);
}

}  // namespace

void adam_gpu(const Queue& queue, const AdamRates& rates, const AdamRates* stored,
              const AdamArguments& a) {
  const bool fours =
      gpu::in_fours(a.count, a.gradient, a.parameters, a.first_moment, a.second_moment);
  launch(fours ? &adam_kernel<4> : &adam_kernel<1>,
         blocks_for(a.count, fours ? 4 * kThreads : kThreads), dim3(kThreads), 0, stream_of(queue),
         rates, stored, a);
}

}  // namespace rallrec::kernels::detail
