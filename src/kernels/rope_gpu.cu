#include <algorithm>

#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/rope_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kMostThreads = 256;

// A block per token, so that its cosines and sines are read from memory once; each thread turns
// kWidth neighbouring pairs at a time.
template <int kWidth>
__global__ void __launch_bounds__(kMostThreads) rope_kernel(RopeArguments a) {
  const std::int64_t token = blockIdx.x;
  const auto half = static_cast<int>(a.head_dim / 2);
  const int per_head = half / kWidth;
  const int pieces = static_cast<int>(a.heads) * per_head;
  const float* cosines = a.cosines + a.positions[token] * half;
  const float* sines = a.sines + a.positions[token] * half;
  float* x = a.x + token * a.heads * a.head_dim;
  for (int piece = static_cast<int>(threadIdx.x); piece < pieces;
       piece += static_cast<int>(blockDim.x)) {
    const int c = piece % per_head * kWidth;
    float* first_at = x + std::int64_t{piece / per_head} * a.head_dim + c;
    const auto cosine = gpu::load<kWidth>(cosines + c);
    const auto sine = gpu::load<kWidth>(sines + c);
    auto first = gpu::load<kWidth>(first_at);
    auto second = gpu::load<kWidth>(first_at + half);
    for (int i = 0; i < kWidth; ++i) {
      const float s = a.sign * sine.v[i];
      const float old = first.v[i];
      first.v[i] = old * cosine.v[i] - second.v[i] * s;
      second.v[i] = second.v[i] * cosine.v[i] + old * s;
    }
    gpu::store(first, first_at);
    gpu::store(second, first_at + half);
  }
}

}  // namespace

void rope_gpu(const Queue& queue, std::int64_t tokens, const RopeArguments& arguments) {
  const std::int64_t half = arguments.head_dim / 2;
  const bool fours = gpu::in_fours(half, arguments.x, arguments.cosines, arguments.sines);
  const std::int64_t pieces = arguments.heads * half / (fours ? 4 : 1);
  const std::int64_t warps = std::max<std::int64_t>(1, (pieces + gpu::kWarp - 1) / gpu::kWarp);
  const auto threads =
      static_cast<unsigned>(std::min<std::int64_t>(kMostThreads, warps * gpu::kWarp));
  launch(fours ? &rope_kernel<4> : &rope_kernel<1>, dim3(static_cast<unsigned>(tokens)),
         dim3(threads), 0, stream_of(queue), arguments);
}

}  // namespace rallrec::kernels::detail
