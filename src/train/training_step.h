#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "train/prompt_dataset.h"

namespace rallrec::train {

// What forward and backward of one optimizer step came to; equal on all ranks.
struct StepResult {
  // Sum of token losses over the step / its number of labels; NaN where a loss is.
  double loss = 0.0;
  // Mean over prompts of the loss of the first answer token, the label word.
  double label_word_loss = 0.0;
  std::int64_t tokens = 0;
  std::int64_t prompts = 0;
  // d loss / d LoRA parameters, summed over all micro-batches by the fixed tree.
  std::vector<float> gradient;
  // A prompt of the first micro-batch whose loss or gradient is not finite; -1 where all are.
  std::int64_t bad_prompt = -1;
};

// Forward and backward of the prompts of one step over all ranks. Packing, micro-batch numbers and
// the order of every sum depend on prompts and token budget alone, so the result has the same bits
// on 1, 2, 4 or 8 ranks. Collective.
StepResult run_training_step(models::llm::CausalLm& model, const models::llm::LoraAdapter& adapter,
                             const PromptDataset& dataset, const std::vector<std::int64_t>& prompts,
                             std::int64_t token_budget, models::llm::DropoutKey key,
                             distributed::Communicator& communicator);

// Losses of a set of prompts without dropout or gradient; equal on all ranks.
struct EvaluationResult {
  double loss = 0.0;             // mean over labels
  double label_word_loss = 0.0;  // mean over prompts
  std::int64_t prompts = 0;
};

// `limit` prompts of `dataset`, evenly spread over it (all where fewer). Collective.
EvaluationResult evaluate_prompts(models::llm::CausalLm& model,
                                  const models::llm::LoraAdapter* adapter,
                                  const PromptDataset& dataset, std::int64_t limit,
                                  std::int64_t token_budget,
                                  distributed::Communicator& communicator);

}  // namespace rallrec::train
