#pragma once

#include <vector>

#include "pipeline/plan.h"
#include "pipeline/plan_work.h"

namespace rallrec::pipeline {

// Fills communication, gathers, gathered_bytes and fsdp_bytes: of the rank that receives most.
void plan_traffic(const PlanRequest& request, const std::vector<RankWork>& ranks, Plan& plan);

}  // namespace rallrec::pipeline
