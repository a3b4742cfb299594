#pragma once

#include <cstdint>
#include <string>

#include "distributed/communicator.h"
#include "pipeline/plan.h"

namespace rallrec::pipeline {

// All steps of a stage: the plan is that of the step that takes most memory.
struct RunPlan {
  Plan plan;
  std::int64_t steps = 0;
  double wall_seconds = 0.0;
};

// As many prompts as the options make, all of `tokens`: of tune, or of infer over the test prompts
// where the request does not train. `request` holds all but the step.
RunPlan plan_alike(const PlanRequest& request, std::int64_t tokens);

// The prompts of a file, tokenised as tune does; every step is looked at. Collective.
RunPlan plan_file(const PlanRequest& request, const std::string& model, const std::string& file,
                  distributed::Communicator& communicator);

// Whether a checkpoint's embedding table is bf16, by its header; so are published Llama folders,
// which is assumed where `model` holds no weights.
bool has_bfloat16_tables(const std::string& model);

}  // namespace rallrec::pipeline
