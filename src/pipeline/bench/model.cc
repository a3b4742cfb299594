#include "pipeline/bench/model.h"

#include <algorithm>
#include <numeric>

#include "core/rng.h"
#include "pipeline/load_model.h"
#include "pipeline/lora_options.h"
#include "pipeline/prompt_text.h"
#include "train/prompt_reader.h"

namespace rallrec::pipeline {

train::PromptDataset bench_prompts(const BenchRun& run) {
  const PromptText text(run.request.model, run.options);
  const train::PromptDataset all = train::read_prompts(
      run.request.input, text.training_encoder(), run.options.data.max_bad_rows, run.communicator);
  train::PromptDataset first(run.request.input);
  for (std::int64_t i = 0; i < std::min(run.request.count, all.size()); ++i) {
    const std::int32_t* ids = all.ids_of(i);
    std::vector<std::int64_t> shown = all.labels_of(i);
    shown.erase(std::lower_bound(shown.begin(), shown.end(), all.first_label_of(i)), shown.end());
    first.add({ids, ids + all.size_of(i).tokens}, all.first_label_of(i), i + 1, shown);
  }
  return first;
}

std::vector<std::int64_t> all_prompts(const train::PromptDataset& dataset) {
  std::vector<std::int64_t> prompts(static_cast<std::size_t>(dataset.size()));
  std::iota(prompts.begin(), prompts.end(), 0);
  return prompts;
}

std::unique_ptr<models::llm::CausalLm> bench_model(const BenchRun& run, const std::string& quant) {
  auto model = load_model(run.request.model, quant, run.options, run.communicator);
  model->set_kept_bytes(run.options.tune.memory_budget << 20);
  return model;
}

models::llm::LoraAdapter bench_adapter(const models::llm::LlmConfig& config,
                                       const config::TuneOptions& options) {
  models::llm::LoraAdapter adapter(config, lora_options(options),
                                   static_cast<std::uint64_t>(options.seed));
  Rng rng(7);
  auto* values = adapter.flat().mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < adapter.flat().numel(); ++i) {
    values[i] += static_cast<float>(0.01 * rng.next_normal());
  }
  return adapter;
}

}  // namespace rallrec::pipeline
