#include "kernels/label_loss.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels {
namespace {

std::vector<float> floats(std::int64_t count) {
  return std::vector<float>(static_cast<std::size_t>(count));
}

// dx = Σ partials, as a balanced tree over the blocks.
void add_partials(std::int64_t rows, std::int64_t hidden, float* partials, float* dx) {
  parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t step = 1; step < kVocabularyBlocks; step *= 2) {
      for (std::int64_t block = 0; block < kVocabularyBlocks; block += 2 * step) {
        float* to = partials + block * rows * hidden;
        const float* from = to + step * rows * hidden;
        for (std::int64_t i = begin * hidden; i < end * hidden; ++i) {
          to[i] += from[i];
        }
      }
    }
    std::copy(partials + begin * hidden, partials + end * hidden, dx + begin * hidden);
  });
}

struct Scratch {
  std::vector<float> logits, statistics, lse, partials;
};

void run_chunk(const Queue& queue, const HeadPart& head, std::int64_t rows, const float* x,
               const std::int64_t* labels, double loss_scale, Scratch& scratch, float* losses,
               float* dx) {
  head_logits(queue, head, rows, x, labels, scratch.logits.data(), scratch.statistics.data());
  combine_head_statistics(head.vocabulary, rows, scratch.statistics.data(), labels, losses,
                          scratch.lse.data());
  if (dx != nullptr) {
    head_gradient(queue, head, rows, labels, scratch.lse.data(), loss_scale, scratch.logits.data(),
                  scratch.partials.data());
    add_partials(rows, head.hidden, scratch.partials.data(), dx);
  }
}

}  // namespace

void label_loss(const Queue& queue, const HeadPart& head, std::int64_t rows, const float* x,
                const std::int64_t* labels, double loss_scale, float* losses, float* dx) {
  RALLREC_CHECK(head.first_block == 0 && head.last_block == kVocabularyBlocks,
                "label_loss: a part of a head has no losses");
  if (rows == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::label_loss_gpu(queue, head, rows, x, labels, loss_scale, losses, dx);
    return;
  }
  const std::int64_t most = std::min(rows, kHeadRows);
  const std::int64_t width = head_width(most);
  Scratch scratch{floats(head.vocabulary * width),
                  floats(kVocabularyBlocks * kHeadStatistics * width), floats(width),
                  floats(dx == nullptr ? 0 : kVocabularyBlocks * most * head.hidden)};
  for (std::int64_t begin = 0; begin < rows; begin += kHeadRows) {
    const std::int64_t at = begin * head.hidden;
    run_chunk(queue, head, std::min(kHeadRows, rows - begin), x + at, labels + begin, loss_scale,
              scratch, losses + begin, dx == nullptr ? nullptr : dx + at);
  }
}

}  // namespace rallrec::kernels
