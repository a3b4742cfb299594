#include "pipeline/plan_scaling.h"

#include <algorithm>

namespace rallrec::pipeline {
namespace {

constexpr std::int64_t kBudgetStep = 256;
constexpr std::int64_t kMostBudget = std::int64_t{1} << 17;

ScalingRow row_of(PlanRequest request, int ranks, std::int64_t tokens, Scaling scaling) {
  const int on_node = (request.ranks + request.nodes - 1) / request.nodes;
  request.nodes = (ranks + on_node - 1) / on_node;
  request.ranks = ranks;
  if (scaling == Scaling::kWeak) {
    config::Options& options = request.options;
    options.tune.batch_size *= ranks;
    options.prompt.train_samples = std::max(options.prompt.train_samples, options.tune.batch_size);
  }
  return {ranks, request.nodes, request.options.tune.batch_size, plan_alike(request, tokens), 1.0};
}

double rate_of_rank(const ScalingRow& row) {
  return static_cast<double>(row.batch_size) / row.run.plan.step_seconds / row.ranks;
}

bool fits(PlanRequest request, std::int64_t budget, std::int64_t tokens, std::int64_t bytes) {
  request.options.tune.token_budget = budget;
  request.options.tune.memory_budget = 0;
  // Eight full micro-batches, the least that a step has: no rank needs more than one.
  request.options.tune.batch_size = 8 * (budget / tokens);
  request.options.prompt.train_samples =
      std::max(request.options.prompt.train_samples, request.options.tune.batch_size);
  return plan_alike(request, tokens).plan.peak_bytes <= bytes;
}

}  // namespace

std::vector<ScalingRow> plan_scaling(const PlanRequest& request, std::int64_t tokens,
                                     Scaling scaling) {
  std::vector<ScalingRow> rows;
  for (int ranks = 1; ranks <= request.ranks; ranks *= 2) {
    rows.push_back(row_of(request, ranks, tokens, scaling));
    rows.back().efficiency = rate_of_rank(rows.back()) / rate_of_rank(rows.front());
  }
  return rows;
}

std::int64_t largest_token_budget(const PlanRequest& request, std::int64_t tokens,
                                  std::int64_t bytes) {
  std::int64_t least = (tokens + kBudgetStep - 1) / kBudgetStep - 1;
  std::int64_t most = kMostBudget / kBudgetStep;
  while (least < most) {
    const std::int64_t middle = (least + most + 1) / 2;
    if (fits(request, middle * kBudgetStep, tokens, bytes)) {
      least = middle;
    } else {
      most = middle - 1;
    }
  }
  return least * kBudgetStep >= tokens ? least * kBudgetStep : 0;
}

}  // namespace rallrec::pipeline
