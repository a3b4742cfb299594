#pragma once

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/model_files.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Whether the run has descriptions to embed: its stages hold describe.
bool embeds_descriptions(const config::Options& options);

// Eq. 2 and 3: [title ‖ description] of every item of the catalogue as `text`, fp32 [items, 2 ·
// hidden], in embed/text_embeddings.h5. The title text is that of the templates' embed.title; an
// item without description has zeros in the second half. A run without descriptions has `title`,
// fp32 [items, hidden], instead.
void run_embed(StageContext& context);

// Input lines {"text": "…"}; output .npy, fp32 [lines, hidden]. A text without tokens gives zeros;
// one with more tokens than the model has positions is bad data at its line. Collective; rank 0
// writes.
void embed_file(const ModelFiles& files, const config::Options& options,
                distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
