#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::retrieval {

// One kind of embedding of all items: fp32 [items, width], row-major, owned by somebody else.
struct EmbeddingBlock {
  const float* values = nullptr;
  std::int64_t width = 0;
};

// What a row of a block is divided by.
enum class BlockScale {
  kOwnNorm,     // its own norm: eq. 7
  kLargestNorm  // the largest of its block: refcompat.max_norm
};

// Item vectors of eq. 7, [ē_1 ‖ ē_2 ‖ …] with ē = e / ‖e‖ (0/0 := 0), so that the dot product of
// two items is the sum of their blocks' cosines. fp32 [items, sum of widths].
std::vector<float> mix_embeddings(const std::vector<EmbeddingBlock>& blocks, std::int64_t items,
                                  BlockScale scale = BlockScale::kOwnNorm);

}  // namespace rallrec::retrieval
