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

// The same for what the metrics of `after` exceed those of `before` by. Paired: both metrics of a
// resample are of the same users, so that what makes a user's samples hard for both cancels out.
// The two have the same labels and users in the same order (same_samples), and each ranking is of
// its scores. Collective.
MetricIntervals bootstrap_difference(distributed::Communicator& communicator,
                                     const ScoredSamples& before, const AucRanking& ranking_before,
                                     const ScoredSamples& after, const AucRanking& ranking_after,
                                     const BootstrapOptions& options);

// The q-quantile of sorted values, interpolated linearly between order statistics; at least one
// value.
double sorted_quantile(const std::vector<double>& sorted, double q);

}  // namespace rallrec::metrics
