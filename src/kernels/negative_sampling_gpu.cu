#include <cuda_runtime.h>

#include "core/launch.h"
#include "kernels/gpu/philox.cuh"
#include "kernels/negative_sampling_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

__device__ inline bool is_edge(const EdgeBitmap& bitmap, std::int64_t user, std::int32_t item) {
  return (bitmap.words[user * bitmap.row_words + item / 64] >> (item % 64) & 1) != 0;
}

__device__ inline bool is_edge(const EdgeLists& lists, std::int64_t user, std::int32_t item) {
  std::int64_t low = lists.offsets[user];
  std::int64_t high = lists.offsets[user + 1];
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (lists.neighbours[middle] < item) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < lists.offsets[user + 1] && lists.neighbours[low] == item;
}

// A thread per draw; draw_negative of negative_sampling.h, word by word.
template <typename Edges>
__global__ void __launch_bounds__(kThreads)
    sample_negatives_kernel(Edges edges, NegativeDraws draws, std::int32_t* negatives) {
  const std::int64_t b = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (b >= draws.count) {
    return;
  }
  const std::int64_t user = draws.users[b];
  const auto items = static_cast<std::uint64_t>(edges.items);
  const auto threshold = static_cast<unsigned>((std::uint64_t{1} << 32) % items);
  for (unsigned attempt = 0;; ++attempt) {
    const uint4 four = gpu::philox4x32(
        draws.seed, make_uint4(draws.edges[b], draws.epoch, attempt, kNegativePurpose));
    const unsigned words[4] = {four.x, four.y, four.z, four.w};
    for (const unsigned word : words) {
      const std::uint64_t product = word * items;
      const auto item = static_cast<std::int32_t>(product >> 32);
      if (static_cast<unsigned>(product) >= threshold && !is_edge(edges, user, item)) {
        negatives[b] = draws.first_item + item;
        return;
      }
    }
  }
}

template <typename Edges>
void sample(const Queue& queue, const Edges& edges, const NegativeDraws& draws,
            std::int32_t* negatives) {
  launch(&sample_negatives_kernel<Edges>, blocks_for(draws.count, kThreads), dim3(kThreads), 0,
         stream_of(queue), edges, draws, negatives);
}

}  // namespace

void sample_negatives_gpu(const Queue& queue, const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  sample(queue, bitmap, draws, negatives);
}

void sample_negatives_gpu(const Queue& queue, const EdgeLists& lists, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  sample(queue, lists, draws, negatives);
}

}  // namespace rallrec::kernels::detail
