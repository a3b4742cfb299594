#pragma once

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Whether any view of section [prompt] needs what retrieve writes.
bool shows_neighbours(const config::Options& options);

// The stage prompt: ingest/interactions.h5 and, where a view needs it, retrieve/neighbours.h5 to
//   prompt/train.jsonl      per drawn sample one prompt of each of prompt.train_views, side by side
//   prompt/valid.jsonl, prompt/test.jsonl       in prompt.test_view
//   prompt/zero_shot.jsonl  the test samples in prompt.zero_shot_view
// Lines hold input, output ("Yes." or "No."), label, user, item, timestamp (where the data set has
// them), sample and view, and system where the wording has one. Ranks share the work; the files do
// not depend on their number.
void run_prompt(StageContext& context);

}  // namespace rallrec::pipeline
