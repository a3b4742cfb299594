#include "pipeline/plan_run.h"

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/process_memory.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "pipeline/prompt_text.h"
#include "train/prompt_reader.h"
#include "train/schedule.h"

namespace rallrec::pipeline {
namespace {

// What a process of tune holds beyond this one before the model: MPI, hashes of its inputs, the
// folder it writes to. 11 to 18 MB were seen.
constexpr std::int64_t kStartBytes = 14'000'000;

// Sets lengths and labels of a request to those of a step's prompts.
using Sizes = std::function<void(const std::vector<std::int64_t>& prompts, PlanRequest& request)>;

// Looks at the first `looked_at` steps, which stand for all.
RunPlan plan_steps(PlanRequest request, const train::Schedule& schedule, std::int64_t looked_at,
                   const Sizes& sizes) {
  request.process_bytes = resident_bytes() + kStartBytes;
  RunPlan run;
  run.steps = schedule.total_steps();
  const double weight = static_cast<double>(run.steps) / static_cast<double>(looked_at);
  for (std::int64_t step = 0; step < looked_at; ++step) {
    sizes(schedule.prompts_of(step), request);
    Plan plan = make_plan(request);
    run.wall_seconds += weight * plan.step_seconds;
    if (plan.peak_bytes > run.plan.peak_bytes) {
      run.plan = std::move(plan);
    }
  }
  return run;
}

// 0 of test_samples means all: the paper's first 10,000.
constexpr std::int64_t kAllTestPrompts = 10'000;

std::int64_t prompts_of(const PlanRequest& request) {
  const config::PromptOptions& options = request.options.prompt;
  if (request.trains) {
    return options.train_samples * static_cast<std::int64_t>(options.train_views.size());
  }
  return options.test_samples > 0 ? options.test_samples : kAllTestPrompts;
}

// An answer is the word, a full stop and the end of the turn; of each shown one the word.
std::int64_t labels_of_prompt(const PlanRequest& request) {
  return 3 + (request.options.tune.shown_answers ? request.options.prompt.k : 0);
}

// Batches of infer by its token budget, each rank as many as the others.
RunPlan plan_scoring(PlanRequest request, std::int64_t length, std::int64_t prompts) {
  const std::int64_t budget = request.options.infer.token_budget;
  const std::int64_t in_batch = std::clamp<std::int64_t>(budget / length, 1, prompts);
  const std::int64_t in_step = in_batch * request.ranks;
  request.process_bytes = resident_bytes() + kStartBytes;
  request.lengths.assign(static_cast<std::size_t>(in_batch), length);
  request.labels = in_batch;
  RunPlan run;
  run.plan = make_plan(request);
  run.steps = (prompts + in_step - 1) / in_step;
  run.wall_seconds = static_cast<double>(run.steps) * run.plan.step_seconds;
  return run;
}

}  // namespace

RunPlan plan_alike(const PlanRequest& request, std::int64_t tokens) {
  const std::int64_t prompts = prompts_of(request);
  if (prompts < 1 || tokens < 1) {
    throw_usage(
        "nothing to plan for; --tokens, prompt.train_samples, prompt.train_views and "
        "prompt.test_samples must be at least one");
  }
  const std::int64_t length = std::min(tokens, request.options.prompt.cutoff);
  if (!request.trains) {
    return plan_scoring(request, length, prompts);
  }
  const std::int64_t labels = labels_of_prompt(request);
  const auto sizes = [length, labels](const std::vector<std::int64_t>& step, PlanRequest& sized) {
    sized.lengths.assign(step.size(), length);
    sized.labels = labels * static_cast<std::int64_t>(step.size());
  };
  return plan_steps(request, train::Schedule(request.options.tune, prompts), 1, sizes);
}

RunPlan plan_file(const PlanRequest& request, const std::string& model, const std::string& file,
                  distributed::Communicator& communicator) {
  const PromptText text(model, request.options);
  const train::PromptDataset dataset = train::read_prompts(
      file, text.training_encoder(), request.options.data.max_bad_rows, communicator);
  const auto sizes = [&dataset](const std::vector<std::int64_t>& step, PlanRequest& sized) {
    sized.lengths = dataset.lengths_of(step);
    sized.labels = 0;
    for (const std::int64_t prompt : step) {
      sized.labels += dataset.size_of(prompt).labels;
    }
  };
  const train::Schedule schedule(request.options.tune, dataset.size());
  return plan_steps(request, schedule, schedule.total_steps(), sizes);
}

bool has_bfloat16_tables(const std::string& model) {
  if (!io::file_exists(model + "/model.safetensors") &&
      !io::file_exists(model + "/model.safetensors.index.json")) {
    return true;
  }
  const io::SafetensorsFolder tensors(model);
  const io::TensorInfo* table = tensors.find("model.embed_tokens.weight");
  return table != nullptr && table->type == io::TensorType::kBf16;
}

}  // namespace rallrec::pipeline
