#include <cuda_runtime.h>

#include "core/launch.h"
#include "kernels/gpu/philox.cuh"
#include "kernels/negative_sampling_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// A thread per draw; draw_negative of negative_sampling.h, word by word.
__global__ void __launch_bounds__(kThreads)
    sample_negatives_kernel(EdgeBitmap bitmap, NegativeDraws draws, std::int32_t* negatives) {
  const std::int64_t b = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (b >= draws.count) {
    return;
  }
  const std::uint64_t* row = bitmap.words + draws.users[b] * bitmap.row_words;
  const auto items = static_cast<std::uint64_t>(bitmap.items);
  const auto threshold = static_cast<unsigned>((std::uint64_t{1} << 32) % items);
  for (unsigned attempt = 0;; ++attempt) {
    const uint4 four = gpu::philox4x32(
        draws.seed, make_uint4(draws.edges[b], draws.epoch, attempt, kNegativePurpose));
    const unsigned words[4] = {four.x, four.y, four.z, four.w};
    for (const unsigned word : words) {
      const std::uint64_t product = word * items;
      const auto item = static_cast<std::int32_t>(product >> 32);
      if (static_cast<unsigned>(product) >= threshold && (row[item / 64] >> (item % 64) & 1) == 0) {
        negatives[b] = item;
        return;
      }
    }
  }
}

}  // namespace

void sample_negatives_gpu(const Queue& queue, const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  launch(&sample_negatives_kernel, blocks_for(draws.count, kThreads), dim3(kThreads), 0,
         stream_of(queue), bitmap, draws, negatives);
}

}  // namespace rallrec::kernels::detail
