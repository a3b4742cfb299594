#pragma once

#include <vector>

#include "models/llm/causal_lm.h"
#include "train/prompt_dataset.h"

namespace rallrec::pipeline {

// The other way to batch: prompts in file order, four to a micro-batch, each filled up with id 0
// to the longest of the four. What is filled up stands behind the prompt and has no label, so
// losses and gradients are those of the packed batch.
std::vector<models::llm::MicroBatch> padded_batches(const train::PromptDataset& dataset);

}  // namespace rallrec::pipeline
