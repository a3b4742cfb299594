#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "pipeline/stage.h"
#include "train/scorer.h"

namespace rallrec::pipeline {

// An interaction of the user's history that a prompt was made from.
struct Reason {
  std::int32_t item = 0;
  float rating = 0.0F;
  // Nothing where the data set has none.
  std::optional<std::int64_t> timestamp;
  // To the target (eq. 7); NaN where the prompt's view retrieves nothing.
  double similarity = 0.0;
};

// The verdicts on the samples of a data set, in their order.
struct ScoredSamples {
  std::string system;               // of every prompt; "" = none
  std::vector<std::string> inputs;  // the prompts
  std::vector<train::Score> scores;
  // Nearest to the target first; the newest first without retrieval.
  std::vector<std::vector<Reason>> reasons;
};

// Writes a prompt for every sample of `dataset` in the run's test view, with neighbours from the
// run's embeddings, and scores it with the run's adapter: what the stages retrieve, prompt and
// infer do, without their files. What the user said of the sample's item itself is left out of its
// history, in every mode. The same for any number of ranks. Collective.
ScoredSamples score_samples(const data::Dataset& dataset, const StageContext& context);

// The files of the run that score_samples reads beside the data set, relative to its folder.
std::vector<std::string> scoring_files(const config::Options& options);

}  // namespace rallrec::pipeline
