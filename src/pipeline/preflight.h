#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Looks at a model folder without loading it, so that a wrong one costs a second and not the work
// that comes before it is needed: tokenizer, and for kWeights also config.json, the headers of the
// weights and whether this build has the compute mode `quant`. Throws as the loaders do.
void check_model_folder(const std::string& folder, ModelUse use, const std::string& quant);

// Looks at everything outside the run folder that `stages` will read: raw data, templates, model,
// and whether its tokenizer has the words that tune and infer need as single tokens.
void check_external_inputs(const std::vector<Stage>& stages, const config::Options& options);

// Looks for what `stages` read in the run folder: what none of them writes must be there. Throws
// Error (missing input) that names both stages, before the first of them has worked for nothing.
void check_run_inputs(const std::vector<Stage>& stages, const std::string& run_dir);

}  // namespace rallrec::pipeline
