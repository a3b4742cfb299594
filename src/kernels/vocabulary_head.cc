#include "kernels/vocabulary_head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/check.h"
#include "kernels/tile_matmul.h"
#include "kernels/vocabulary_head_cpu.h"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels {
namespace {

void check_part(const HeadPart& part, std::int64_t rows) {
  RALLREC_CHECK(part.vocabulary > 0 && part.hidden > 0, "vocabulary_head: the head is empty");
  RALLREC_CHECK(0 <= part.first_block && part.first_block <= part.last_block &&
                    part.last_block <= kVocabularyBlocks,
                "vocabulary_head: there are no such blocks");
  RALLREC_CHECK(part.rows() == 0 || (part.fp32 == nullptr) != (part.bf16 == nullptr),
                "vocabulary_head: one kind of head");
  RALLREC_CHECK(1 <= rows && rows <= kHeadRows, "vocabulary_head: 1 to 64 rows");
}

}  // namespace

std::int64_t vocabulary_block_begin(std::int64_t vocabulary, std::int64_t block) {
  const std::int64_t size = (vocabulary + kVocabularyBlocks - 1) / kVocabularyBlocks;
  return std::min(vocabulary, block * size);
}

std::int64_t head_width(std::int64_t rows) {
  return (rows + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
}

void head_logits(const Queue& queue, const HeadPart& part, std::int64_t rows, const float* x,
                 const std::int64_t* labels, float* logits, float* statistics) {
  check_part(part, rows);
  RALLREC_CHECK((labels == nullptr) == (statistics == nullptr),
                "vocabulary_head: labels and statistics belong together");
  if (queue.device == Device::kCuda) {
    detail::head_logits_gpu(queue, part, rows, x, labels, logits, statistics);
    return;
  }
  for (std::int64_t i = 0; labels != nullptr && i < rows; ++i) {
    RALLREC_CHECK(
        labels[i] >= 0 && labels[i] < part.vocabulary,
        "vocabulary_head: label " + std::to_string(labels[i]) + " is not in the vocabulary");
  }
  detail::head_logits_cpu(part, rows, x, labels, logits, statistics);
}

void combine_head_statistics(std::int64_t vocabulary, std::int64_t rows, const float* statistics,
                             const std::int64_t* labels, float* losses, float* lse) {
  const std::int64_t width = head_width(rows);
  const std::int64_t block_rows = vocabulary_block_begin(vocabulary, 1);
  std::fill_n(lse, width, 0.0F);
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto of = [&](std::int64_t block, std::int64_t which) {
      return statistics[(block * kHeadStatistics + which) * width + i];
    };
    double largest = -std::numeric_limits<double>::infinity();
    for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
      largest = std::max<double>(largest, of(block, 0));
    }
    double sum = 0.0;
    for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
      sum += of(block, 1) * std::exp(of(block, 0) - largest);
    }
    const double total = largest + std::log(sum);
    lse[i] = static_cast<float>(total);
    losses[i] = static_cast<float>(total - of(labels[i] / block_rows, 2));
  }
}

void combine_head_statistics(const Queue& queue, std::int64_t vocabulary, std::int64_t rows,
                             const float* statistics, const std::int64_t* labels, float* losses,
                             float* lse) {
  RALLREC_CHECK(vocabulary > 0, "vocabulary_head: the head is empty");
  RALLREC_CHECK(1 <= rows && rows <= kHeadRows, "vocabulary_head: 1 to 64 rows");
  if (queue.device == Device::kCuda) {
    detail::combine_head_statistics_gpu(queue, vocabulary, rows, statistics, labels, losses, lse);
  } else {
    combine_head_statistics(vocabulary, rows, statistics, labels, losses, lse);
  }
}

void head_gradient(const Queue& queue, const HeadPart& part, std::int64_t rows,
                   const std::int64_t* labels, const float* lse, double loss_scale, float* logits,
                   float* partials) {
  check_part(part, rows);
  if (queue.device == Device::kCuda) {
    detail::head_gradient_gpu(queue, part, rows, labels, lse, static_cast<float>(loss_scale),
                              logits, partials);
    return;
  }
  detail::head_gradient_cpu(part, rows, labels, lse, static_cast<float>(loss_scale), logits,
                            partials);
}

}  // namespace rallrec::kernels
