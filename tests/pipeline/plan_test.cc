// What plan says a rank holds and receives against a model that is loaded and trained.
#include "pipeline/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "distributed/thread_communicator.h"
#include "models/llm/causal_lm.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"
#include "train/prompt_dataset.h"
#include "train/training_step.h"

namespace rallrec::pipeline {
namespace {

using models::llm::LoraAdapter;

// Of the rank that has most.
struct Seen {
  std::int64_t frozen = 0;
  std::int64_t gathered = 0;  // of the second step: in the first there is nothing at hand yet
};

train::PromptDataset made_up_prompts() {
  train::PromptDataset dataset("made up");
  for (std::int64_t i = 0; i < 24; ++i) {
    std::vector<std::int64_t> ids;
    for (std::int64_t t = 0; t < 20 + (i * 7) % 30; ++t) {
      ids.push_back((i * 31 + t * 17) % 300);
    }
    dataset.add(ids, static_cast<std::int64_t>(ids.size()) - 2, i + 1);
  }
  return dataset;
}

Seen train_two_steps(const std::string& model, const PlanRequest& request,
                     const train::PromptDataset& dataset,
                     const std::vector<std::int64_t>& prompts) {
  Seen seen;
  std::mutex mutex;
  distributed::run_thread_ranks(request.ranks, [&](distributed::Communicator& communicator) {
    const auto llm = models::llm::load_causal_lm(model, request.options.model.quant, &communicator);
    llm->set_kept_bytes(request.options.tune.memory_budget << 20);
    const LoraAdapter adapter(llm->config(), {}, 1);
    const auto step = [&] {
      train::run_training_step(*llm, adapter, dataset, prompts, request.options.tune.token_budget,
                               {1, 0}, communicator);
      return static_cast<std::int64_t>(llm->gathered().bytes);
    };
    const std::int64_t first = step();
    const std::int64_t second = step() - first;
    const std::lock_guard<std::mutex> lock(mutex);
    seen.frozen = std::max(seen.frozen, llm->frozen_bytes());
    seen.gathered = std::max(seen.gathered, second);
  });
  return seen;
}

TEST(Plan, FrozenAndGatheredBytesAreThoseOfTheModel) {
  testing::TemporaryFolder folder;
  const std::string model = folder.file("model");
  testing::TinyModelShape shape;
  shape.layers = 5;
  testing::write_tiny_model(model, 1, shape);
  const train::PromptDataset dataset = made_up_prompts();
  std::vector<std::int64_t> prompts(24);
  std::iota(prompts.begin(), prompts.end(), 0);
  PlanRequest request;
  request.model = models::llm::read_llm_config(model);
  request.bfloat16_tables = false;
  request.lengths = dataset.lengths_of(prompts);
  request.labels = 48;
  request.options.tune.token_budget = 64;
  request.options.tune.memory_budget = 1;
  for (const std::string quant : {"w8a8", "bf16", "fp32"}) {
    for (const int ranks : {1, 2, 3}) {
      request.options.model.quant = quant;
      request.ranks = ranks;
      const Plan plan = make_plan(request);
      const Seen seen = train_two_steps(model, request, dataset, prompts);
      EXPECT_EQ(plan.frozen_bytes, seen.frozen) << quant << " on " << ranks;
      EXPECT_EQ(plan.gathered_bytes, seen.gathered) << quant << " on " << ranks;
      EXPECT_EQ(plan.gathered_bytes > 0, quant == "w8a8" && ranks > 1);
    }
  }
}

}  // namespace
}  // namespace rallrec::pipeline
