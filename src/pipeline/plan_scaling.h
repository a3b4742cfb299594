#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/plan_run.h"

namespace rallrec::pipeline {

enum class Scaling {
  kStrong,  // the same prompts per step on any number of ranks
  kWeak,    // as many prompts per step and rank
};

struct ScalingRow {
  int ranks = 1;
  int nodes = 1;
  std::int64_t batch_size = 0;  // prompts per step over all ranks
  RunPlan run;
  // Prompts per second and rank, over those of one rank.
  double efficiency = 1.0;
};

// tune on 1, 2, 4, … up to request.ranks, filled node by node: as many ranks to a node as the
// request has.
std::vector<ScalingRow> plan_scaling(const PlanRequest& request, std::int64_t tokens,
                                     Scaling scaling);

// The largest tune.token_budget, in steps of 256 tokens, whose micro-batch a rank can train with
// `bytes` of memory when it computes its layers again; 0 where not one prompt fits.
std::int64_t largest_token_budget(const PlanRequest& request, std::int64_t tokens,
                                  std::int64_t bytes);

}  // namespace rallrec::pipeline
