#pragma once

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The stage retrieve: mixes the blocks of retrieve.blocks into item vectors (eq. 7) and writes, for
// every sample that prompts are made of, the prompt.k nearest items of its own history to
// retrieve/neighbours.h5 (retrieval/neighbours_file.h). Blocks: item_blocks.h. retrieve.hybrid lets
// two blocks share the list instead (retrieval/hybrid.h).
void run_retrieve(StageContext& context);

}  // namespace rallrec::pipeline
