#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/segment_sum_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kGroups = kThreads / gpu::kWarp;

// A warp per group and strip of 32 · kWidth columns; the strips lie along blockIdx.y. Four members
// are loaded before the first is added, so that four reads are on their way at once.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    segment_sum_kernel(RowGroupsView groups, std::int64_t columns, const float* dy, float* table) {
  constexpr int kAhead = 4;
  const std::int64_t group = std::int64_t{blockIdx.x} * kGroups + threadIdx.x / gpu::kWarp;
  const std::int64_t c =
      (std::int64_t{blockIdx.y} * gpu::kWarp + threadIdx.x % gpu::kWarp) * kWidth;
  if (group >= groups.groups || c >= columns) {
    return;
  }
  const std::int64_t end = groups.offsets[group + 1];
  gpu::Floats<kWidth> sum{};
  for (std::int64_t m = groups.offsets[group]; m < end; m += kAhead) {
    gpu::Floats<kWidth> rows[kAhead] = {};
    for (int i = 0; i < kAhead; ++i) {
      if (m + i < end) {
        rows[i] = gpu::load<kWidth>(dy + groups.members[m + i] * columns + c);
      }
    }
    for (int i = 0; i < kAhead; ++i) {
      for (int k = 0; k < kWidth && m + i < end; ++k) {
        sum.v[k] += rows[i].v[k];
      }
    }
  }
  float* to = table + groups.rows[group] * columns + c;
  auto value = gpu::load<kWidth>(to);
  for (int k = 0; k < kWidth; ++k) {
    value.v[k] += sum.v[k];
  }
  gpu::store(value, to);
}

}  // namespace

void segment_sum_gpu(const Queue& queue, const RowGroupsView& groups, std::int64_t columns,
                     const float* dy, float* table) {
  const bool fours = gpu::in_fours(columns, dy, table);
  const std::int64_t strip = gpu::kWarp * (fours ? 4 : 1);
  const dim3 blocks(blocks_for(groups.groups, kGroups), blocks_for(columns, strip));
  launch(fours ? &segment_sum_kernel<4> : &segment_sum_kernel<1>, blocks, dim3(kThreads), 0,
         stream_of(queue), groups, columns, dy, table);
}

}  // namespace rallrec::kernels::detail
