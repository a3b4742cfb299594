#include "pipeline/plan.h"

#include <algorithm>

#include "core/error.h"
#include "models/llm/generator.h"
#include "models/llm/quant_mode.h"
#include "pipeline/plan_memory.h"
#include "pipeline/plan_times.h"
#include "pipeline/plan_traffic.h"
#include "pipeline/plan_work.h"

namespace rallrec::pipeline {
namespace {

std::int64_t kv_cache_bytes(const PlanRequest& request, std::int64_t tokens) {
  const config::DescribeOptions& describe = request.options.describe;
  const auto prompts = static_cast<std::int64_t>(request.lengths.size());
  const std::int64_t mean = prompts > 0 ? (tokens + prompts - 1) / prompts : 0;
  const std::int64_t of_prompt =
      (mean + describe.max_new_tokens) * models::llm::kv_bytes_per_token(request.model);
  const std::int64_t budget = describe.memory_budget << 20;
  return std::max(of_prompt, std::min(budget, describe.batch_size * of_prompt));
}

}  // namespace

Plan make_plan(const PlanRequest& request) {
  if (request.ranks < 1 || request.nodes < 1 || request.nodes > request.ranks) {
    throw_usage("--ranks and --nodes must be at least 1, with a rank on every node");
  }
  const std::vector<RankWork> ranks = share_out(request);
  Plan plan;
  plan.quant = models::llm::resolved_quant(request.options.model.quant);
  for (int rank = 0; rank < request.ranks; ++rank) {
    Plan own;
    plan_memory(request, rank, ranks[static_cast<std::size_t>(rank)], own);
    if (own.peak_bytes > plan.peak_bytes) {
      own.quant = plan.quant;
      plan = own;
    }
  }
  plan_traffic(request, ranks, plan);
  plan_times(request, ranks, plan);
  plan.kv_cache_bytes = kv_cache_bytes(request, plan.tokens);
  return plan;
}

}  // namespace rallrec::pipeline
