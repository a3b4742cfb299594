#pragma once

#include <memory>
#include <vector>

#include "models/llm/causal_lm.h"
#include "pipeline/bench/bench.h"
#include "train/prompt_dataset.h"

namespace rallrec::pipeline {

// The first request.count prompts of the file as tune reads them, or all where there are fewer.
// Collective.
train::PromptDataset bench_prompts(const BenchRun& run);
std::vector<std::int64_t> all_prompts(const train::PromptDataset& dataset);

// The request's model in that mode, shared out over the ranks as in tune. Collective.
std::unique_ptr<models::llm::CausalLm> bench_model(const BenchRun& run, const std::string& quant);

// An adapter by the options whose B is not zero, so that every gradient is at work.
models::llm::LoraAdapter bench_adapter(const models::llm::LlmConfig& config,
                                       const config::TuneOptions& options);

}  // namespace rallrec::pipeline
