#pragma once

#include <cstdint>

#include "pipeline/plan.h"
#include "pipeline/plan_work.h"

namespace rallrec::pipeline {

// Whether the frozen layers are shared out over the ranks (load_causal_lm).
bool shares_base(const PlanRequest& request);

// Parameters of the seven linears of all layers.
std::int64_t linear_parameters(const models::llm::LlmConfig& config);

// Bytes of a row of the embedding table or the head.
std::int64_t table_row_bytes(const PlanRequest& request);

// Fills memory, frozen_bytes, model_bytes and peak_bytes as they are on `rank`.
void plan_memory(const PlanRequest& request, int rank, const RankWork& work, Plan& plan);

}  // namespace rallrec::pipeline
