#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/plan_scaling.h"

namespace rallrec::pipeline {

// All that a plan has worked out.
struct PlanReport {
  std::vector<std::string> stages;  // of the run
  // Of those with these names; where a run has neither, no model is loaded.
  std::optional<RunPlan> tune;
  std::optional<RunPlan> infer;
  // The model is not at hand: its shape is the published one.
  bool known_shape = false;
  std::vector<ScalingRow> scaling;
  std::int64_t largest_token_budget = -1;  // -1 = memory per rank not known
  std::int64_t memory = 0;                 // of a rank; 0 = not known
  double price = 0.0;                      // per rank and hour; 0 = not given
};

// One JSON object, and a table for people.
std::string plan_json(const PlanReport& report, const PlanRequest& request);
std::string plan_table(const PlanReport& report, const PlanRequest& request);

}  // namespace rallrec::pipeline
