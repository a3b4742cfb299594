#include "pipeline/plan_work.h"

#include <algorithm>
#include <numeric>

#include "distributed/partition.h"
#include "kernels/dropout.h"
#include "models/llm/linear_names.h"
#include "models/llm/lora_adapter.h"
#include "models/llm/waves.h"
#include "train/packing.h"

namespace rallrec::pipeline {
namespace {

using models::llm::kept_bytes;

// What the adapter keeps of a token in one layer: r numbers per module, and the dropout mask.
std::int64_t adapter_bytes_per_token(const PlanRequest& request) {
  const config::TuneOptions& tune = request.options.tune;
  std::int64_t bytes = 0;
  for (const std::string& module : tune.target_modules) {
    const auto size = size_of(request.model, models::llm::linear_named(module));
    bytes += 4 * tune.lora_r;
    bytes += tune.lora_dropout > 0 ? kernels::dropout_mask_bytes(size.in) : 0;
  }
  return bytes;
}

void cut_into_waves(const PlanRequest& request, RankWork& work) {
  const models::llm::LlmConfig& config = request.model;
  const std::int64_t budget = request.options.tune.memory_budget << 20;
  std::vector<std::int64_t> counted;  // as the model counts them
  std::vector<std::int64_t> taken;
  for (const std::int64_t tokens : work.micro_batches) {
    const bool recompute = kept_bytes(config, tokens, false) > budget;
    work.recomputed += recompute ? 1 : 0;
    counted.push_back(kept_bytes(config, tokens, recompute));
    const std::int64_t layers = recompute ? 1 : config.layers;
    taken.push_back(counted.back() + tokens * layers * adapter_bytes_per_token(request) +
                    4 * tokens * config.hidden_size);  // the embedded tokens
  }
  const std::vector<std::size_t> cuts = models::llm::cut_waves(counted, budget);
  work.waves = static_cast<std::int64_t>(cuts.size()) - 1;
  for (std::size_t w = 0; w + 1 < cuts.size(); ++w) {
    const auto first = taken.begin() + static_cast<std::ptrdiff_t>(cuts[w]);
    const auto last = taken.begin() + static_cast<std::ptrdiff_t>(cuts[w + 1]);
    work.kept_bytes = std::max(work.kept_bytes, std::accumulate(first, last, std::int64_t{0}));
  }
}

}  // namespace

std::vector<RankWork> share_out(const PlanRequest& request) {
  const auto members = train::pack_balanced(request.lengths, request.options.tune.token_budget,
                                            train::packing_cost(request.model));
  std::vector<RankWork> ranks;
  for (int rank = 0; rank < request.ranks; ++rank) {
    const distributed::Range mine = distributed::split_evenly(members.size(), request.ranks, rank);
    RankWork work;
    work.leaves = static_cast<std::int64_t>(mine.size());
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      std::int64_t tokens = 0;
      for (const std::int64_t member : members[i]) {
        tokens += request.lengths[static_cast<std::size_t>(member)];
      }
      if (tokens > 0) {
        work.micro_batches.push_back(tokens);
        work.longest = std::max(work.longest, tokens);
        work.tokens += tokens;
      }
    }
    cut_into_waves(request, work);
    ranks.push_back(std::move(work));
  }
  return ranks;
}

std::int64_t lora_parameters(const PlanRequest& request) {
  const config::TuneOptions& tune = request.options.tune;
  return models::llm::LoraLayout(
             request.model, {tune.lora_r, tune.lora_alpha, tune.lora_dropout, tune.target_modules})
      .parameters();
}

}  // namespace rallrec::pipeline
