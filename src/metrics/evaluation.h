#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "metrics/bootstrap.h"
#include "metrics/delong.h"
#include "metrics/scored_samples.h"

namespace rallrec::metrics {

// What is printed about a set of scored samples. `squashed` values are those of the squashed score;
// its accuracy is that of the score, since it lies above 0.5 for the same samples.
struct Evaluation {
  std::int64_t n = 0;
  double positive_rate = 0.0;
  // Empty where all labels are equal.
  std::optional<double> auc;
  double log_loss = 0.0;
  double accuracy = 0.0;
  std::optional<double> auc_squashed;
  std::optional<double> log_loss_squashed;
  MetricIntervals intervals;
  MetricIntervals intervals_squashed;
  // What the intervals resample: "users" where every sample has one; "samples" where none has, and
  // intervals are too narrow if samples of one user are alike; else "users, and samples without
  // one".
  std::string resampled = "samples";
};

// All metrics of `samples` (equal on all ranks; at least one). Collective.
Evaluation evaluate_samples(distributed::Communicator& communicator, const ScoredSamples& samples,
                            const BootstrapOptions& options);

// What the metrics of one set of scores exceed those of another by, with paired intervals.
struct EvaluationDifference {
  std::int64_t n = 0;
  std::optional<double> auc;
  double log_loss = 0.0;
  double accuracy = 0.0;
  MetricIntervals intervals;
  std::string resampled = "samples";
  // Of the AUC; empty where a class has fewer than two samples.
  std::optional<AucTest> delong;
};

// `after` minus `before`; both hold predictions for the same samples (same_samples). Collective.
EvaluationDifference evaluate_difference(distributed::Communicator& communicator,
                                         const ScoredSamples& before, const ScoredSamples& after,
                                         const BootstrapOptions& options);

// Two systems' scores of one seed; not owned.
struct SamplesPair {
  const ScoredSamples* before = nullptr;
  const ScoredSamples* after = nullptr;
};

// Intervals of that difference in the mean over several seeds: users are resampled, the same ones
// in all, so what a resample leaves to chance is the users, and not what a seed decides. All hold
// predictions for the same samples. Collective.
MetricIntervals mean_difference_intervals(distributed::Communicator& communicator,
                                          const std::vector<SamplesPair>& pairs,
                                          const BootstrapOptions& options);

}  // namespace rallrec::metrics
