#include "core/launch.h"
#include "kernels/fm_interaction_gpu.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/teams.cuh"
#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

template <int kWidth>
__global__ void __launch_bounds__(kThreads) fm_interaction_kernel(gpu::Team team, FmArguments a) {
  const std::int64_t sample = team.item<kThreads>();
  const bool inside = sample < a.shape.batch;
  const std::int64_t columns = inside ? a.shape.dim : 0;
  const float* v = a.v + sample * a.shape.fields * a.shape.dim;
  float pairs = 0.0F;
  for (std::int64_t d = team.rank() * kWidth; d < columns; d += team.lanes * kWidth) {
    gpu::Floats<kWidth> below{};
#pragma unroll 4
    for (std::int64_t f = 0; f < a.shape.fields; ++f) {
      const auto value = gpu::load<kWidth>(v + f * a.shape.dim + d);
      for (int i = 0; i < kWidth; ++i) {
        pairs += value.v[i] * below.v[i];
        below.v[i] += value.v[i];
      }
    }
  }
  for (int step = team.lanes / 2; step > 0; step /= 2) {
    pairs += __shfl_xor_sync(gpu::kAllLanes, pairs, step);
  }
  if (inside && team.rank() == 0) {
    a.y[sample] = pairs;
  }
}

// The second reading of a column comes from L1. A thread writes only what it alone has read.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    fm_interaction_backward_kernel(gpu::Team team, FmBackwardArguments a) {
  const std::int64_t sample = team.item<kThreads>();
  if (sample >= a.shape.batch) {
    return;
  }
  const std::int64_t first = sample * a.shape.fields * a.shape.dim;
  const float dy = a.dy[sample];
  for (std::int64_t d = team.rank() * kWidth; d < a.shape.dim; d += team.lanes * kWidth) {
    gpu::Floats<kWidth> sum{};
#pragma unroll 4
    for (std::int64_t f = 0; f < a.shape.fields; ++f) {
      const auto value = gpu::load<kWidth>(a.v + first + f * a.shape.dim + d);
      for (int i = 0; i < kWidth; ++i) {
        sum.v[i] += value.v[i];
      }
    }
    for (std::int64_t f = 0; f < a.shape.fields; ++f) {
      auto value = gpu::load<kWidth>(a.v + first + f * a.shape.dim + d);
      for (int i = 0; i < kWidth; ++i) {
        value.v[i] = dy * (sum.v[i] - value.v[i]);
      }
      gpu::store(value, a.dv + first + f * a.shape.dim + d);
    }
  }
}

template <typename Arguments>
void launch_teams(const Queue& queue, const Arguments& arguments, bool fours,
                  void (*in_fours)(gpu::Team, Arguments), void (*in_ones)(gpu::Team, Arguments)) {
  const gpu::Team team = gpu::team_for(fours ? arguments.shape.dim / 4 : arguments.shape.dim);
  launch(fours ? in_fours : in_ones, dim3(blocks_for(arguments.shape.batch, kThreads / team.lanes)),
         dim3(kThreads), 0, stream_of(queue), team, arguments);
}

}  // namespace

void fm_interaction_gpu(const Queue& queue, const FmArguments& arguments) {
  launch_teams(queue, arguments, gpu::in_fours(arguments.shape.dim, arguments.v),
               &fm_interaction_kernel<4>, &fm_interaction_kernel<1>);
}

void fm_interaction_backward_gpu(const Queue& queue, const FmBackwardArguments& arguments) {
  launch_teams(queue, arguments, gpu::in_fours(arguments.shape.dim, arguments.v, arguments.dv),
               &fm_interaction_backward_kernel<4>, &fm_interaction_backward_kernel<1>);
}

}  // namespace rallrec::kernels::detail
