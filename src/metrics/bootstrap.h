#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "distributed/communicator.h"
#include "metrics/auc.h"
#include "metrics/scored_samples.h"

namespace rallrec::metrics {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

struct BootstrapOptions {
  std::int64_t samples = 1000;
  std::int64_t seed = 42;
};

// 95 % intervals of each metric; empty where it cannot be computed: fewer than two groups, no
// resamples, or (AUC) a class that is missing in more than half of the resamples.
struct MetricIntervals {
  std::optional<Interval> auc;
  std::optional<Interval> log_loss;
  std::optional<Interval> accuracy;
};

// Percentile bootstrap, clustered: each resample draws as many users as there are, with
// replacement, and takes all samples of each (samples of one user are not independent). Resample b
// is a function of (seed, b) alone. Ranks share the resamples out; the result is the same for any
// rank and thread count. `scores` belong to the samples' labels and users. Collective; all
// arguments are equal on all ranks.
MetricIntervals bootstrap_intervals(distributed::Communicator& communicator,
                                    const ScoredSamples& samples, const std::vector<double>& scores,
                                    const AucRanking& ranking, const BootstrapOptions& options);

// Samples and the ranking of their scores; neither is owned.
struct RankedSamples {
  const ScoredSamples* samples = nullptr;
  const AucRanking* ranking = nullptr;
};
struct RankedPair {
  RankedSamples before;
  RankedSamples after;
};

// The same for what the metrics of `after` exceed those of `before` by, in the mean over the pairs,
// such as the seeds of two systems; at least one. Paired: all metrics of a resample are of the same
// users, so that what makes a user's samples hard for both cancels out. All samples have the same
// labels and users in the same order (same_samples). Collective.
MetricIntervals bootstrap_difference(distributed::Communicator& communicator,
                                     const std::vector<RankedPair>& pairs,
                                     const BootstrapOptions& options);

// The q-quantile of sorted values, interpolated linearly between order statistics; at least one
// value.
double sorted_quantile(const std::vector<double>& sorted, double q);

}  // namespace rallrec::metrics
