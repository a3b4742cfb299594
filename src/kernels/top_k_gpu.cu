#include <cuda_runtime.h>

#include "core/launch.h"
#include "kernels/gpu/warp.cuh"
#include "kernels/top_k_gpu.h"

namespace rallrec::kernels::detail {
namespace {

// Lists that one block takes, a warp each.
constexpr int kWarps = 4;
constexpr std::int64_t kNone = -1;

// An entry and its score; number kNone is worse than all.
struct Candidate {
  std::int64_t entry;
  float score;
};

__device__ bool is_nan(float value) { return value != value; }

// The total order of top_k.h, with the scores at hand: recency and ids are read on a tie alone.
__device__ bool comes_first(const ScoredLists& lists, const Candidate& a, const Candidate& b) {
  if (b.entry == kNone || a.entry == kNone) {
    return a.entry != kNone;
  }
  if (a.score != b.score && !(is_nan(a.score) && is_nan(b.score))) {
    return a.score > b.score || is_nan(b.score);
  }
  if (lists.recency != nullptr && lists.recency[a.entry] != lists.recency[b.entry]) {
    return lists.recency[a.entry] > lists.recency[b.entry];
  }
  if (lists.ids != nullptr && lists.ids[a.entry] != lists.ids[b.entry]) {
    return lists.ids[a.entry] < lists.ids[b.entry];
  }
  return a.entry < b.entry;
}

// The best of all lanes', in every lane.
__device__ Candidate best_of_warp(const ScoredLists& lists, Candidate best) {
  for (int step = gpu::kWarp / 2; step > 0; step /= 2) {
    const Candidate other{__shfl_xor_sync(gpu::kAllLanes, best.entry, step),
                          __shfl_xor_sync(gpu::kAllLanes, best.score, step)};
    if (other.entry != best.entry && comes_first(lists, other, best)) {
      best = other;
    }
  }
  return best;
}

// A warp per list. Each round finds the best entry that comes after the last one found: k readings
// of a list that stays in the cache, and no memory of its own.
__global__ void __launch_bounds__(kWarps* gpu::kWarp)
    top_k_kernel(ScoredLists lists, std::int64_t k, std::int32_t* best) {
  const std::int64_t list = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  const int lane = static_cast<int>(threadIdx.x) % gpu::kWarp;
  if (list >= lists.lists) {
    return;  // a whole warp
  }
  const std::int64_t first = lists.offsets[list];
  const std::int64_t end = lists.offsets[list + 1];
  Candidate last{kNone, 0.0F};
  for (std::int64_t r = 0; r < k; ++r) {
    Candidate found{kNone, 0.0F};
    for (std::int64_t e = first + lane; e < end && r < end - first; e += gpu::kWarp) {
      const Candidate candidate{e, lists.scores[e]};
      const bool is_left = r == 0 || (e != last.entry && comes_first(lists, last, candidate));
      if (is_left && comes_first(lists, candidate, found)) {
        found = candidate;
      }
    }
    last = best_of_warp(lists, found);
    if (lane == 0) {
      best[list * k + r] = last.entry == kNone ? -1 : static_cast<std::int32_t>(last.entry - first);
    }
  }
}

}  // namespace

void top_k_gpu(const Queue& queue, const ScoredLists& lists, std::int64_t k, std::int32_t* best) {
  launch(&top_k_kernel, blocks_for(lists.lists, kWarps), dim3(kWarps * gpu::kWarp), 0,
         stream_of(queue), lists, k, best);
}

}  // namespace rallrec::kernels::detail
