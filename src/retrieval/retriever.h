#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "distributed/communicator.h"
#include "retrieval/neighbours_file.h"

namespace rallrec::retrieval {

// fp32 [items, width], owned by somebody else; embedding_mixture.h.
struct ItemVectors {
  const float* values = nullptr;
  std::int64_t width = 0;
};

struct RetrievalTask {
  const data::Dataset* dataset = nullptr;
  std::vector<std::int32_t> samples;  // ascending
  ItemVectors vectors;
  // Where set, what is ranked is not the dot product but join_softmaxes (hybrid.h) of the two.
  ItemVectors other_vectors;
  // By item, the row of the vectors that stands for it as a candidate; -1 = it is none. Empty = its
  // own. A target always goes by its own.
  std::vector<std::int32_t> row_of;
  std::int64_t k = 0;
  // Leave the target's own item out of its history (mode clean).
  bool exclude_target = false;
};

// For each sample the k interactions of the user's earlier history whose items have the largest dot
// product with the target's vector: exact, each item once at its newest occurrence, ties to the
// newer. Fewer where the history is shorter. Ranks share the samples; every rank returns the same.
// Collective.
Neighbours retrieve_neighbours(const RetrievalTask& task, distributed::Communicator& communicator);

}  // namespace rallrec::retrieval
