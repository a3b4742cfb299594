#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/embedding_file.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// e_text of eq. 3 for every item: "text" of embed/text_embeddings.h5, or what
// refcompat.description_only and refcompat.pca_text leave of it. Bad data where that file holds
// titles alone. Collective.
EmbeddingMatrix read_text_block(const StageContext& context, std::int64_t items = -1);

// A block of eq. 7 by the name that retrieve.blocks gives it: text, title (its half of e_text),
// colla (light_gcn) or ssl (align). Collective.
EmbeddingMatrix read_block(const std::string& name, const StageContext& context,
                           std::int64_t items);

// The files that hold the blocks that retrieve takes, relative to the run folder, in the order of
// the stages that write them.
std::vector<std::string> block_files(const config::Options& options);

}  // namespace rallrec::pipeline
