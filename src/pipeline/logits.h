#pragma once

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/model_files.h"

namespace rallrec::pipeline {

// Input lines {"ids": [...]}; output a safetensors file with `logits`, fp32 [lines, vocabulary],
// the logits at the last position of each. An empty list or an id outside the model's vocabulary is
// bad data at its line. Lines are packed by options.infer.token_budget alone, so the result does
// not depend on the number of ranks. Collective; rank 0 writes.
void write_logits(const ModelFiles& files, const config::Options& options,
                  distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
