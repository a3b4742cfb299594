#include "metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/parallel_for.h"
#include "core/rng.h"
#include "distributed/partition.h"
#include "metrics/log_loss.h"

namespace rallrec::metrics {
namespace {

// What a resample needs of a user.
struct GroupTotals {
  double loss = 0.0;
  double correct = 0.0;
  double samples = 0.0;
};

struct Resampler {
  std::vector<GroupTotals> totals;
  // The group of the i-th sample by ascending score.
  std::vector<std::uint32_t> groups_by_score;
  const AucRanking& ranking;
  std::uint64_t seed;

  // One resample's AUC (NaN where a class is missing), log loss and accuracy.
  void draw(std::uint64_t number, std::vector<std::uint32_t>& weights, double* result) const;
};

constexpr std::size_t kMetrics = 3;

void Resampler::draw(std::uint64_t number, std::vector<std::uint32_t>& weights,
                     double* result) const {
  std::fill(weights.begin(), weights.end(), 0);
  Rng rng(seed, number);
  for (std::size_t i = 0; i < totals.size(); ++i) {
    ++weights[rng.next_below(totals.size())];
  }
  GroupTotals sum;
  for (std::size_t group = 0; group < totals.size(); ++group) {
    sum.loss += weights[group] * totals[group].loss;
    sum.correct += weights[group] * totals[group].correct;
    sum.samples += weights[group] * totals[group].samples;
  }
  result[0] = ranking.weighted_auc(groups_by_score, weights)
                  .value_or(std::numeric_limits<double>::quiet_NaN());
  result[1] = sum.loss / sum.samples;
  result[2] = sum.correct / sum.samples;
}

Resampler make_resampler(const ScoredSamples& samples, const std::vector<double>& scores,
                         const AucRanking& ranking, std::int64_t seed) {
  std::uint32_t group_count = 0;
  const std::vector<std::uint32_t> groups = user_groups(samples, &group_count);
  Resampler resampler{
      std::vector<GroupTotals>(group_count), {}, ranking, static_cast<std::uint64_t>(seed)};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    GroupTotals& totals = resampler.totals[groups[i]];
    totals.loss += sample_log_loss(scores[i], samples.labels[i]);
    totals.correct += is_correct(scores[i], samples.labels[i]) ? 1.0 : 0.0;
    totals.samples += 1.0;
  }
  for (const std::size_t i : ranking.order()) {
    resampler.groups_by_score.push_back(groups[i]);
  }
  return resampler;
}

// The results of all resamples, kMetrics each, in resample order.
std::vector<double> draw_all(distributed::Communicator& communicator, const Resampler& resampler,
                             std::size_t count) {
  const distributed::Range mine =
      distributed::split_evenly(count, communicator.size(), communicator.rank());
  std::vector<double> drawn(mine.size() * kMetrics);
  parallel_for(
      static_cast<std::int64_t>(mine.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::uint32_t> weights(resampler.totals.size());
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          resampler.draw(mine.begin + i, weights, &drawn[i * kMetrics]);
        }
      });
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    counts.push_back(distributed::split_evenly(count, communicator.size(), rank).size() * kMetrics);
  }
  std::vector<double> all(count * kMetrics);
  communicator.all_gather_v(drawn.data(), all.data(), counts, distributed::DType::kFloat64);
  return all;
}

std::optional<Interval> interval_of(const std::vector<double>& drawn, std::size_t metric) {
  std::vector<double> values;
  for (std::size_t i = metric; i < drawn.size(); i += kMetrics) {
    if (!std::isnan(drawn[i])) {
      values.push_back(drawn[i]);
    }
  }
  if (values.empty() || 2 * values.size() * kMetrics < drawn.size()) {
    return std::nullopt;
  }
  std::sort(values.begin(), values.end());
  return Interval{sorted_quantile(values, 0.025), sorted_quantile(values, 0.975)};
}

MetricIntervals intervals_of(const std::vector<double>& drawn) {
  return {interval_of(drawn, 0), interval_of(drawn, 1), interval_of(drawn, 2)};
}

}  // namespace

double sorted_quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

MetricIntervals bootstrap_intervals(distributed::Communicator& communicator,
                                    const ScoredSamples& samples, const std::vector<double>& scores,
                                    const AucRanking& ranking, const BootstrapOptions& options) {
  const Resampler resampler = make_resampler(samples, scores, ranking, options.seed);
  if (resampler.totals.size() < 2 || options.samples < 1) {
    return {};
  }
  return intervals_of(draw_all(communicator, resampler, static_cast<std::size_t>(options.samples)));
}

MetricIntervals bootstrap_difference(distributed::Communicator& communicator,
                                     const std::vector<RankedPair>& pairs,
                                     const BootstrapOptions& options) {
  RALLREC_CHECK(!pairs.empty(), "bootstrap_difference: there are no pairs");
  std::vector<double> drawn;
  const double share = 1.0 / static_cast<double>(pairs.size());
  for (const RankedPair& pair : pairs) {
    // Resample b draws the same users in all: it is a function of (seed, b) and the user count.
    for (const auto& [ranked, weight] :
         {std::pair(pair.after, share), std::pair(pair.before, -share)}) {
      RALLREC_CHECK(same_samples(*ranked.samples, *pairs.front().before.samples),
                    "a difference is of scores for the same samples");
      const Resampler resampler =
          make_resampler(*ranked.samples, ranked.samples->scores, *ranked.ranking, options.seed);
      if (resampler.totals.size() < 2 || options.samples < 1) {
        return {};
      }
      const std::vector<double> values =
          draw_all(communicator, resampler, static_cast<std::size_t>(options.samples));
      drawn.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        drawn[i] += weight * values[i];
      }
    }
  }
  return intervals_of(drawn);
}

}  // namespace rallrec::metrics
