#include "core/launch.h"
#include "kernels/activation_gpu.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/with_activation.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

struct Identity {
  __device__ static float value(float x) { return x; }
  __device__ static float slope(float /*x*/) { return 1.0F; }
};

struct Relu {
  __device__ static float value(float x) { return x < 0.0F ? 0.0F : x; }
  __device__ static float slope(float x) { return x <= 0.0F ? 0.0F : 1.0F; }
};

struct Gelu {
  // Not by erf: 1 + erf loses the digits of the left tail.
  __device__ static float distribution(float x) { return 0.5F * erfcf(-0.707106781F * x); }
  __device__ static float value(float x) { return x * distribution(x); }
  __device__ static float slope(float x) {
    return distribution(x) + x * (0.398942280F * expf(-0.5F * x * x));
  }
};

struct Tanh {
  __device__ static float value(float x) { return tanhf(x); }
  __device__ static float slope(float x) {
    const float t = tanhf(x);
    return 1.0F - t * t;
  }
};

// A thread per kWidth elements.
template <typename Function, int kWidth>
__global__ void __launch_bounds__(kThreads)
    activate_kernel(std::int64_t count, const float* x, float* y) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
  if (i >= count) {
    return;
  }
  auto values = gpu::load<kWidth>(x + i);
  for (int k = 0; k < kWidth; ++k) {
    values.v[k] = Function::value(values.v[k]);
  }
  gpu::store(values, y + i);
}

template <typename Function, int kWidth>
__global__ void __launch_bounds__(kThreads)
    activate_backward_kernel(std::int64_t count, const float* x, const float* dy, float* dx) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kWidth;
  if (i >= count) {
    return;
  }
  auto values = gpu::load<kWidth>(x + i);
  const auto gradients = gpu::load<kWidth>(dy + i);
  for (int k = 0; k < kWidth; ++k) {
    values.v[k] = Function::slope(values.v[k]) * gradients.v[k];
  }
  gpu::store(values, dx + i);
}

using Functions = ActivationClasses<Identity, Relu, Gelu, Tanh>;

}  // namespace

void activate_gpu(const Queue& queue, Activation activation, std::int64_t count, const float* x,
                  float* y) {
  const bool fours = gpu::in_fours(count, x, y);
  const dim3 blocks(blocks_for(count, fours ? 4 * kThreads : kThreads));
  Functions::with(activation, [&](auto function) {
    using Function = decltype(function);
    launch(fours ? &activate_kernel<Function, 4> : &activate_kernel<Function, 1>, blocks,
           dim3(kThreads), 0, stream_of(queue), count, x, y);
  });
}

void activate_backward_gpu(const Queue& queue, Activation activation, std::int64_t count,
                           const float* x, const float* dy, float* dx) {
  const bool fours = gpu::in_fours(count, x, dy, dx);
  const dim3 blocks(blocks_for(count, fours ? 4 * kThreads : kThreads));
  Functions::with(activation, [&](auto function) {
    using Function = decltype(function);
    launch(fours ? &activate_backward_kernel<Function, 4> : &activate_backward_kernel<Function, 1>,
           blocks, dim3(kThreads), 0, stream_of(queue), count, x, dy, dx);
  });
}

}  // namespace rallrec::kernels::detail
