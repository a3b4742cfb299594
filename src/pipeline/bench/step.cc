#include "pipeline/bench/step.h"

#include <algorithm>
#include <cmath>

#include "distributed/partition.h"
#include "pipeline/bench/model.h"
#include "train/training_step.h"

namespace rallrec::pipeline {

BenchStep make_step(const BenchRun& run, const train::PromptDataset& dataset) {
  BenchStep step{run, dataset, all_prompts(dataset), dataset.tokens(), 0};
  for (const std::int64_t prompt : step.prompts) {
    step.labels += dataset.size_of(prompt).labels;
  }
  return step;
}

StepOutcome packed_step(const BenchStep& step, models::llm::CausalLm& model,
                        const models::llm::LoraAdapter& adapter) {
  train::StepResult result =
      train::run_training_step(model, adapter, step.dataset, step.prompts,
                               step.run.options.tune.token_budget, {1, 0}, step.run.communicator);
  return {result.loss, std::move(result.gradient)};
}

StepOutcome step_over(const BenchStep& step, const std::vector<models::llm::MicroBatch>& all,
                      models::llm::CausalLm& model, const models::llm::LoraAdapter& adapter) {
  distributed::Communicator& communicator = step.run.communicator;
  const distributed::Range range =
      distributed::split_evenly(all.size(), communicator.size(), communicator.rank());
  const std::vector<models::llm::MicroBatch> mine(
      all.begin() + static_cast<std::ptrdiff_t>(range.begin),
      all.begin() + static_cast<std::ptrdiff_t>(range.end));
  const double scale = 1.0 / static_cast<double>(step.labels);
  StepOutcome outcome;
  outcome.gradient.assign(static_cast<std::size_t>(adapter.flat().numel()), 0.0F);
  for (const auto& result : model.forward_backward(mine, adapter, {1, 0}, scale)) {
    for (const float loss : result.label_losses) {
      outcome.loss += scale * loss;
    }
    const float* values = result.gradient.const_data_ptr<float>();
    for (std::size_t i = 0; i < outcome.gradient.size(); ++i) {
      outcome.gradient[i] += values[i];
    }
  }
  communicator.all_reduce(&outcome.loss, 1, distributed::DType::kFloat64);
  communicator.all_reduce(outcome.gradient.data(), outcome.gradient.size(),
                          distributed::DType::kFloat32);
  return outcome;
}

double difference_of(const StepOutcome& a, const StepOutcome& b) {
  double dot = 0.0;
  double aa = 0.0;
  double bb = 0.0;
  for (std::size_t i = 0; i < a.gradient.size(); ++i) {
    const double x = a.gradient[i];
    const double y = b.gradient[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const double angle = 1.0 - dot / std::sqrt(aa * bb);
  const double losses = std::abs(a.loss / b.loss - 1.0);
  return std::isnan(angle) ? angle : std::max(angle, losses);
}

}  // namespace rallrec::pipeline
