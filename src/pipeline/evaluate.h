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

// The scores of a run, relative to its folder: infer/scores.jsonl, or those of the baseline where
// its stages hold baseline but no infer.
std::string scores_of_run(const config::Options& options);

// The samples of a file of scores as the run's options have them counted:
// refcompat.eval_first_10000 keeps the first, refcompat.squash_prob puts the squashed score in
// place of the score. Bad data where that is missing. Collective.
metrics::ScoredSamples read_run_scores(const std::string& path, const config::Options& options,
                                       distributed::Communicator& communicator);

// What made them: "tuned", "zero_shot" (infer.adapter = "none") or "baseline".
std::string scored_model(const config::Options& options);

// The stage: scores_of_run, and infer/zero_shot_scores.jsonl where the run has both, to
// evaluate/metrics.json: {"tuned": {…, "first_10000": {…}}, "zero_shot": {… the same},
// "tuned_minus_zero_shot": {…}}, the first named by scored_model. The outer values are those of the
// whole test set; the difference is there where both files score the same samples.
void run_evaluate(StageContext& context);

}  // namespace rallrec::pipeline
