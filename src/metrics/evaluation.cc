#include "metrics/evaluation.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "core/check.h"
#include "metrics/log_loss.h"

namespace rallrec::metrics {
namespace {

std::string resampled_units(const ScoredSamples& samples) {
  const auto without =
      std::count(samples.users.begin(), samples.users.end(), ScoredSamples::kNoUser);
  if (without == 0) {
    return "users";
  }
  return without == static_cast<std::ptrdiff_t>(samples.users.size())
             ? "samples"
             : "users, and samples without one";
}

}  // namespace

Evaluation evaluate_samples(distributed::Communicator& communicator, const ScoredSamples& samples,
                            const BootstrapOptions& options) {
  RALLREC_CHECK(samples.size() > 0, "evaluate_samples: there are no samples");
  Evaluation evaluation;
  evaluation.n = static_cast<std::int64_t>(samples.size());
  const auto positives =
      std::accumulate(samples.labels.begin(), samples.labels.end(), std::int64_t{0});
  evaluation.positive_rate = static_cast<double>(positives) / static_cast<double>(evaluation.n);

  const AucRanking ranking(samples.scores, samples.labels);
  evaluation.auc = ranking.auc();
  evaluation.log_loss = log_loss(samples.scores, samples.labels);
  evaluation.accuracy = accuracy(samples.scores, samples.labels);
  evaluation.resampled = resampled_units(samples);
  evaluation.intervals =
      bootstrap_intervals(communicator, samples, samples.scores, ranking, options);
  if (!samples.squashed.empty()) {
    const AucRanking squashed(samples.squashed, samples.labels);
    evaluation.auc_squashed = squashed.auc();
    evaluation.log_loss_squashed = log_loss(samples.squashed, samples.labels);
    evaluation.intervals_squashed =
        bootstrap_intervals(communicator, samples, samples.squashed, squashed, options);
  }
  return evaluation;
}

EvaluationDifference evaluate_difference(distributed::Communicator& communicator,
                                         const ScoredSamples& before, const ScoredSamples& after,
                                         const BootstrapOptions& options) {
  EvaluationDifference difference;
  difference.n = static_cast<std::int64_t>(after.size());
  const AucRanking ranking_before(before.scores, before.labels);
  const AucRanking ranking_after(after.scores, after.labels);
  const std::optional<double> auc_before = ranking_before.auc();
  const std::optional<double> auc_after = ranking_after.auc();
  if (auc_before && auc_after) {
    difference.auc = *auc_after - *auc_before;
  }
  difference.log_loss =
      log_loss(after.scores, after.labels) - log_loss(before.scores, before.labels);
  difference.accuracy =
      accuracy(after.scores, after.labels) - accuracy(before.scores, before.labels);
  difference.resampled = resampled_units(after);
  difference.intervals = bootstrap_difference(
      communicator, {{{&before, &ranking_before}, {&after, &ranking_after}}}, options);
  difference.delong = delong_test(before.scores, after.scores, after.labels);
  return difference;
}

MetricIntervals mean_difference_intervals(distributed::Communicator& communicator,
                                          const std::vector<SamplesPair>& pairs,
                                          const BootstrapOptions& options) {
  std::deque<AucRanking> rankings;
  const auto ranked = [&rankings](const ScoredSamples* samples) {
    rankings.emplace_back(samples->scores, samples->labels);
    return RankedSamples{samples, &rankings.back()};
  };
  std::vector<RankedPair> ranked_pairs;
  for (const SamplesPair& pair : pairs) {
    ranked_pairs.push_back({ranked(pair.before), ranked(pair.after)});
  }
  return bootstrap_difference(communicator, ranked_pairs, options);
}

}  // namespace rallrec::metrics
