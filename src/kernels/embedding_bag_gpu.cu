#include "core/launch.h"
#include "kernels/embedding_bag_gpu.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/teams.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// A team per bag. The id and weight of an entry are the same for its lanes, one read of L1.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    embedding_bag_kernel(gpu::Team team, BagShape shape, Bags bags, const float* table, float* y) {
  const std::int64_t bag = team.item<kThreads>();
  if (bag >= shape.bags) {
    return;
  }
  const std::int64_t begin = bags.offsets[bag];
  const std::int64_t end = bags.offsets[bag + 1];
  for (std::int64_t c = team.rank() * kWidth; c < shape.columns; c += team.lanes * kWidth) {
    gpu::Floats<kWidth> sum{};
#pragma unroll 4
    for (std::int64_t e = begin; e < end; ++e) {
      const auto row = gpu::load<kWidth>(table + bags.ids[e] * shape.stride + c);
      const float weight = bags.weights[e];
      for (int i = 0; i < kWidth; ++i) {
        sum.v[i] += weight * row.v[i];
      }
    }
    gpu::store(sum, y + bag * shape.result_stride + c);
  }
}

}  // namespace

void embedding_bag_gpu(const Queue& queue, const BagShape& of, const Bags& bags, const float* table,
                       float* y) {
  BagShape shape = of;
  shape.result_stride = of.to_next();
  const bool fours = gpu::in_fours(shape.columns, table, y) && shape.stride % 4 == 0 &&
                     shape.result_stride % 4 == 0;
  const gpu::Team team = gpu::team_for(fours ? shape.columns / 4 : shape.columns);
  launch(fours ? &embedding_bag_kernel<4> : &embedding_bag_kernel<1>,
         dim3(blocks_for(shape.bags, kThreads / team.lanes)), dim3(kThreads), 0, stream_of(queue),
         team, shape, bags, table, y);
}

}  // namespace rallrec::kernels::detail
