#include "retrieval/embedding_mixture.h"

#include <cmath>

#include "core/parallel_for.h"

namespace rallrec::retrieval {
namespace {

void copy_unit(const float* row, std::int64_t width, float* unit) {
  double square = 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    square += double{row[k]} * row[k];
  }
  const double inverse = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    unit[k] = static_cast<float>(row[k] * inverse);
  }
}

}  // namespace

std::vector<float> mix_embeddings(const std::vector<EmbeddingBlock>& blocks, std::int64_t items) {
  std::int64_t width = 0;
  for (const EmbeddingBlock& block : blocks) {
    width += block.width;
  }
  std::vector<float> mixed(static_cast<std::size_t>(items * width));
  parallel_for(items, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      float* unit = mixed.data() + item * width;
      for (const EmbeddingBlock& block : blocks) {
        copy_unit(block.values + item * block.width, block.width, unit);
        unit += block.width;
      }
    }
  });
  return mixed;
}

}  // namespace rallrec::retrieval
