#pragma once

#include <cstdint>
#include <vector>

#include "models/llm/causal_lm.h"
#include "pipeline/bench/bench.h"
#include "train/prompt_dataset.h"

namespace rallrec::pipeline {

// The optimizer step that the arms of bench tune work on: all prompts of the data set.
struct BenchStep {
  const BenchRun& run;
  const train::PromptDataset& dataset;
  std::vector<std::int64_t> prompts;
  std::int64_t tokens = 0;
  std::int64_t labels = 0;
};
BenchStep make_step(const BenchRun& run, const train::PromptDataset& dataset);

// Mean loss over the labels and its gradient, equal on all ranks.
struct StepOutcome {
  double loss = 0.0;
  std::vector<float> gradient;
};

// As tune does it. Collective.
StepOutcome packed_step(const BenchStep& step, models::llm::CausalLm& model,
                        const models::llm::LoraAdapter& adapter);
// The same over micro-batches made beforehand, of which each rank takes a contiguous part.
StepOutcome step_over(const BenchStep& step, const std::vector<models::llm::MicroBatch>& all,
                      models::llm::CausalLm& model, const models::llm::LoraAdapter& adapter);

// The larger of the relative difference of the losses and 1 - cosine of the gradients.
double difference_of(const StepOutcome& a, const StepOutcome& b);

}  // namespace rallrec::pipeline
