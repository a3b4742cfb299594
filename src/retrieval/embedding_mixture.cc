#include "retrieval/embedding_mixture.h"

#include <algorithm>
#include <cmath>

#include "core/parallel_for.h"

namespace rallrec::retrieval {
namespace {

double square_norm(const float* row, std::int64_t width) {
  double square = 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    square += double{row[k]} * row[k];
  }
  return square;
}

double largest_square_norm(const EmbeddingBlock& block, std::int64_t items) {
  double largest = 0.0;
  for (std::int64_t item = 0; item < items; ++item) {
    largest = std::max(largest, square_norm(block.values + item * block.width, block.width));
  }
  return largest;
}

// The row divided by the root of `square`, which is 0 where it is.
void copy_scaled(const float* row, std::int64_t width, double square, float* scaled) {
  const double inverse = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    scaled[k] = static_cast<float>(row[k] * inverse);
  }
}

}  // namespace

std::vector<float> mix_embeddings(const std::vector<EmbeddingBlock>& blocks, std::int64_t items,
                                  BlockScale scale) {
  std::int64_t width = 0;
  std::vector<double> largest;
  for (const EmbeddingBlock& block : blocks) {
    width += block.width;
    largest.push_back(scale == BlockScale::kLargestNorm ? largest_square_norm(block, items) : 0.0);
  }
  std::vector<float> mixed(static_cast<std::size_t>(items * width));
  parallel_for(items, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      float* out = mixed.data() + item * width;
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        const EmbeddingBlock& block = blocks[b];
        const float* row = block.values + item * block.width;
        const bool own = scale == BlockScale::kOwnNorm;
        copy_scaled(row, block.width, own ? square_norm(row, block.width) : largest[b], out);
        out += block.width;
      }
    }
  });
  return mixed;
}

}  // namespace rallrec::retrieval
