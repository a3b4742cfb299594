#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "metrics/evaluation.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Test prompts that the published numbers were taken on.
constexpr std::size_t kPublishedTestPrompts = 10000;

metrics::BootstrapOptions bootstrap_options(const config::EvaluateOptions& options);

// The stage: infer/scores.jsonl, and infer/zero_shot_scores.jsonl where it is there, to
// evaluate/metrics.json: {"tuned": {…, "first_10000": {…}}, "zero_shot": {… the same},
// "tuned_minus_zero_shot": {…}}. The outer values are those of the whole test set; the difference
// is there where both files score the same samples.
void run_evaluate(StageContext& context);

}  // namespace rallrec::pipeline
