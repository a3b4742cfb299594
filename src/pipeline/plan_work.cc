#include "pipeline/plan_work.h"

#include <algorithm>
#include <numeric>

#include "distributed/partition.h"
#include "models/llm/kept_bytes.h"
#include "models/llm/lora_adapter.h"
#include "models/llm/waves.h"
#include "pipeline/lora_options.h"
#include "train/packing.h"

namespace rallrec::pipeline {
namespace {

using models::llm::kept_bytes;
using models::llm::MicroBatchRows;

void cut_into_waves(const PlanRequest& request, const std::vector<MicroBatchRows>& micro_batches,
                    RankWork& work) {
  const models::llm::LoraOptions adapter = lora_options(request.options.tune);
  const std::int64_t budget = request.options.tune.memory_budget << 20;
  const std::int64_t gradient = models::llm::gradient_bytes(request.model, adapter);
  std::vector<std::int64_t> kept;
  for (const MicroBatchRows& rows : micro_batches) {
    const bool recompute = kept_bytes(request.model, adapter, rows, false) > budget;
    work.recomputed += recompute ? 1 : 0;
    kept.push_back(gradient + kept_bytes(request.model, adapter, rows, recompute));
  }
  const std::vector<std::size_t> cuts = models::llm::cut_waves(kept, budget);
  work.waves = static_cast<std::int64_t>(cuts.size()) - 1;
  for (std::size_t w = 0; w + 1 < cuts.size(); ++w) {
    const auto first = kept.begin() + static_cast<std::ptrdiff_t>(cuts[w]);
    const auto last = kept.begin() + static_cast<std::ptrdiff_t>(cuts[w + 1]);
    const std::int64_t count = last - first;
    work.wave_micro_batches = std::max(work.wave_micro_batches, count);
    work.kept_bytes =
        std::max(work.kept_bytes, std::accumulate(first, last, std::int64_t{0}) - count * gradient);
  }
}

// A batch on every rank.
std::vector<RankWork> scoring_work(const PlanRequest& request) {
  RankWork work;
  work.tokens = std::accumulate(request.lengths.begin(), request.lengths.end(), std::int64_t{0});
  work.longest = work.tokens;
  work.micro_batches = {work.tokens};
  work.leaves = 1;
  work.waves = 1;
  return std::vector<RankWork>(static_cast<std::size_t>(request.ranks), work);
}

}  // namespace

std::vector<RankWork> share_out(const PlanRequest& request) {
  if (!request.trains) {
    return scoring_work(request);
  }
  const auto members = train::pack_balanced(request.lengths, request.options.tune.token_budget,
                                            train::packing_cost(request.model));
  // As many labels in each prompt.
  const std::int64_t labels_of_prompt =
      (request.labels + static_cast<std::int64_t>(request.lengths.size()) - 1) /
      std::max<std::int64_t>(1, static_cast<std::int64_t>(request.lengths.size()));
  std::vector<RankWork> ranks;
  for (int rank = 0; rank < request.ranks; ++rank) {
    const distributed::Range mine = distributed::split_evenly(members.size(), request.ranks, rank);
    RankWork work;
    std::vector<MicroBatchRows> micro_batches;
    work.leaves = static_cast<std::int64_t>(mine.size());
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      std::int64_t tokens = 0;
      for (const std::int64_t member : members[i]) {
        tokens += request.lengths[static_cast<std::size_t>(member)];
      }
      if (tokens > 0) {
        work.micro_batches.push_back(tokens);
        micro_batches.push_back(
            {tokens, labels_of_prompt * static_cast<std::int64_t>(members[i].size())});
        work.longest = std::max(work.longest, tokens);
        work.tokens += tokens;
      }
    }
    cut_into_waves(request, micro_batches, work);
    ranks.push_back(std::move(work));
  }
  return ranks;
}

std::int64_t lora_parameters(const PlanRequest& request) {
  return models::llm::LoraLayout(request.model, lora_options(request.options.tune)).parameters();
}

}  // namespace rallrec::pipeline
