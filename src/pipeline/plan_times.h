#pragma once

#include <vector>

#include "pipeline/plan.h"
#include "pipeline/plan_work.h"

namespace rallrec::pipeline {

// Fills tokens, step_flops, elementwise_bytes and the seconds, from what plan_traffic filled in:
// the rank with most tokens computes while layers are gathered; everything else that is received
// waits for it and it for that.
void plan_times(const PlanRequest& request, const std::vector<RankWork>& ranks, Plan& plan);

}  // namespace rallrec::pipeline
