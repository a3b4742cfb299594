#include <algorithm>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 128;

const char* const kSetting = "the size of the vocabulary";

// dx[i] = Σ_b partials[b, i] as the balanced tree that ranks and the CPU add.
__global__ void __launch_bounds__(kThreads)
    add_head_partials_kernel(const float* partials, std::int64_t count, float* dx) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) {
    return;
  }
  float sums[kVocabularyBlocks];
#pragma unroll
  for (int b = 0; b < kVocabularyBlocks; ++b) {
    sums[b] = partials[b * count + i];
  }
#pragma unroll
  for (int step = 1; step < kVocabularyBlocks; step *= 2) {
#pragma unroll
    for (int b = 0; b < kVocabularyBlocks; b += 2 * step) {
      sums[b] += sums[b + step];
    }
  }
  dx[i] = sums[0];
}

}  // namespace

void label_loss_gpu(const Queue& queue, const HeadPart& head, std::int64_t rows, const float* x,
                    const std::int64_t* labels, double loss_scale, float* losses, float* dx) {
  const cudaStream_t stream = stream_of(queue);
  const std::int64_t most = std::min(rows, kHeadRows);
  const std::int64_t width = head_width(most);
  const std::int64_t partial_count = dx == nullptr ? 0 : kVocabularyBlocks * most * head.hidden;
  const CudaScratch<float> logits(stream, head.vocabulary * width, kSetting);
  const CudaScratch<float> sums(stream, (kVocabularyBlocks * kHeadStatistics + 1) * width,
                                kSetting);
  const CudaScratch<float> partials(stream, partial_count + 1, kSetting);
  float* lse = sums.get() + kVocabularyBlocks * kHeadStatistics * width;
  for (std::int64_t begin = 0; begin < rows; begin += kHeadRows) {
    const std::int64_t count = std::min(kHeadRows, rows - begin);
    const std::int64_t at = begin * head.hidden;
    head_logits_gpu(queue, head, count, x + at, labels + begin, logits.get(), sums.get());
    combine_head_statistics_gpu(queue, head.vocabulary, count, sums.get(), labels + begin,
                                losses + begin, lse);
    if (dx != nullptr) {
      head_gradient_gpu(queue, head, count, labels + begin, lse, static_cast<float>(loss_scale),
                        logits.get(), partials.get());
      launch(&add_head_partials_kernel, dim3(blocks_for(count * head.hidden, kThreads)),
             dim3(kThreads), 0, stream, partials.get(), count * head.hidden, dx + at);
    }
  }
}

}  // namespace rallrec::kernels::detail
