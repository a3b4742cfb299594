#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "pipeline/embedding_file.h"
#include "pipeline/stage.h"
#include "retrieval/neighbours_file.h"

namespace rallrec::pipeline {

// The blocks of those names, mixed into one vector per item (eq. 7), as [refcompat] has it. Behind
// the last row, not counted by `rows`, stands one of zeros.
EmbeddingMatrix item_vectors(const std::vector<std::string>& names, const StageContext& context,
                             std::int64_t items);

// The prompt.k nearest items of the history of each sample, ascending, by the run's embeddings and
// the settings of [retrieve]. Collective.
retrieval::Neighbours find_neighbours(const data::Dataset& dataset,
                                      std::vector<std::int32_t> samples,
                                      const StageContext& context);

// The stage retrieve: mixes the blocks of retrieve.blocks into item vectors (eq. 7) and writes, for
// every sample that prompts are made of, the prompt.k nearest items of its own history to
// retrieve/neighbours.h5 (retrieval/neighbours_file.h). Blocks: item_blocks.h. retrieve.hybrid lets
// two blocks share the list instead (retrieval/hybrid.h).
void run_retrieve(StageContext& context);

}  // namespace rallrec::pipeline
