#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::gpu {

// `lanes` neighbouring lanes, a power of two, serve one item: as many as its columns need, so that
// a warp reads several narrow items at once and no lane is idle.
struct Team {
  int lanes;

  template <int kThreads>
  __device__ std::int64_t item() const {
    return std::int64_t{blockIdx.x} * (kThreads / lanes) + threadIdx.x / lanes;
  }
  __device__ int rank() const { return static_cast<int>(threadIdx.x) % lanes; }
};

// For items of that many loads each.
inline Team team_for(std::int64_t vectors) {
  Team team{1};
  while (team.lanes < vectors && team.lanes < kWarp) {
    team.lanes *= 2;
  }
  return team;
}

}  // namespace rallrec::kernels::gpu
