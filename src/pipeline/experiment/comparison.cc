#include "pipeline/experiment/comparison.h"

#include <algorithm>

#include "metrics/evaluation.h"
#include "metrics/holm.h"
#include "pipeline/evaluate.h"

namespace rallrec::pipeline {
namespace {

constexpr double kLevel = 0.01;  // the published stars'

// The reference's row to compare `row` with; null where it has none.
const SummaryRow* reference_for(const SummaryRow& row, const std::string& reference,
                                const std::vector<SummaryRow>& rows) {
  std::vector<const SummaryRow*> own;
  for (const SummaryRow& candidate : rows) {
    if (candidate.cell->system->name == reference) {
      own.push_back(&candidate);
    }
  }
  const auto same = std::find_if(own.begin(), own.end(), [&row](const SummaryRow* candidate) {
    return same_sweep(*candidate->cell, *row.cell);
  });
  if (same != own.end()) {
    return *same;
  }
  return own.size() == 1 ? own.front() : nullptr;
}

// A seed that both rows have, with its cells.
struct SeedPair {
  std::size_t reference = 0;  // position in the row
  std::size_t other = 0;
};

std::vector<SeedPair> seeds_of_both(const SummaryRow& reference, const SummaryRow& other) {
  std::vector<SeedPair> pairs;
  for (std::size_t i = 0; i < reference.seeds.size(); ++i) {
    const auto found = std::find(other.seeds.begin(), other.seeds.end(), reference.seeds[i]);
    if (found != other.seeds.end()) {
      pairs.push_back({i, static_cast<std::size_t>(found - other.seeds.begin())});
    }
  }
  return pairs;
}

// The comparison of one metric over the seeds; nothing where a row lacks it.
std::optional<Comparison> over_seeds(const SummaryRow& reference, const SummaryRow& other,
                                     std::size_t metric, const std::vector<SeedPair>& pairs) {
  const std::vector<double>& ours = reference.metrics[metric].values;
  const std::vector<double>& theirs = other.metrics[metric].values;
  if (ours.size() != reference.seeds.size() || theirs.size() != other.seeds.size()) {
    return std::nullopt;
  }
  Comparison comparison;
  comparison.metric = metric;
  comparison.seed = reference.seeds[pairs.front().reference];
  std::vector<double> before;
  std::vector<double> after;
  for (const SeedPair& pair : pairs) {
    before.push_back(theirs[pair.other]);
    after.push_back(ours[pair.reference]);
    comparison.difference += (after.back() - before.back()) / static_cast<double>(pairs.size());
  }
  comparison.t_test = metrics::paired_t_test(before, after);
  return comparison;
}

// Cell `ours` against cell `other`; nothing where they scored different samples. Collective.
std::optional<metrics::EvaluationDifference> compare_one_run(
    std::size_t ours, std::size_t other, const std::vector<Cell>& cells, const CellScores& scores,
    distributed::Communicator& communicator) {
  const metrics::ScoredSamples& before = scores.at(other);
  const metrics::ScoredSamples& after = scores.at(ours);
  if (!metrics::same_samples(before, after)) {
    return std::nullopt;
  }
  return metrics::evaluate_difference(communicator, before, after,
                                      bootstrap_options(cells[ours].options.evaluate));
}

void add_one_run(const std::optional<metrics::EvaluationDifference>& difference,
                 Comparison& comparison) {
  if (!difference) {
    return;
  }
  if (comparison.metric == kAuc) {
    comparison.delong = difference->delong;
    comparison.bootstrap = difference->intervals.auc;
  } else if (comparison.metric == kLogLoss) {
    comparison.bootstrap = difference->intervals.log_loss;
  } else if (comparison.metric == kAccuracy) {
    comparison.bootstrap = difference->intervals.accuracy;
  }
}

// Corrects the p-values that `p_of` finds in comparisons of one metric, and gives them to `give`.
template <typename PValue, typename Give>
void correct(std::vector<DatasetSummary>& summaries, std::size_t metric, const PValue& p_of,
             const Give& give) {
  std::vector<Comparison*> tested;
  std::vector<double> p;
  for (DatasetSummary& summary : summaries) {
    for (Comparison& comparison : summary.comparisons) {
      const std::optional<double> value = p_of(comparison);
      if (comparison.metric == metric && value) {
        tested.push_back(&comparison);
        p.push_back(*value);
      }
    }
  }
  const std::vector<double> corrected = metrics::holm_adjusted(p);
  for (std::size_t i = 0; i < tested.size(); ++i) {
    give(*tested[i], corrected[i]);
  }
}

}  // namespace

bool same_sweep(const Cell& a, const Cell& b) {
  return std::equal(a.sweep.begin(), a.sweep.end(), b.sweep.begin(), b.sweep.end(),
                    [](const config::FlagSetting& x, const config::FlagSetting& y) {
                      return x.name == y.name && x.value == y.value;
                    });
}

std::vector<Comparison> compare(const config::Grid& grid, const std::vector<SummaryRow>& rows,
                                const std::vector<Cell>& cells, const CellScores& scores,
                                distributed::Communicator& communicator) {
  std::vector<Comparison> comparisons;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const SummaryRow* reference = reference_for(rows[r], grid.reference, rows);
    if (reference == nullptr || rows[r].cell->system->name == grid.reference) {
      continue;
    }
    const std::vector<SeedPair> pairs = seeds_of_both(*reference, rows[r]);
    if (pairs.empty()) {
      continue;
    }
    const auto one_run =
        compare_one_run(reference->cells[pairs.front().reference],
                        rows[r].cells[pairs.front().other], cells, scores, communicator);
    for (std::size_t metric = 0; metric < kMetricNames.size(); ++metric) {
      if (auto comparison = over_seeds(*reference, rows[r], metric, pairs)) {
        comparison->row = r;
        add_one_run(one_run, *comparison);
        comparisons.push_back(*comparison);
      }
    }
  }
  return comparisons;
}

void correct_for_number(std::vector<DatasetSummary>& summaries) {
  for (std::size_t metric = 0; metric < kMetricNames.size(); ++metric) {
    correct(
        summaries, metric,
        [](const Comparison& c) { return c.t_test ? c.t_test->p : std::nullopt; },
        [](Comparison& c, double p) { c.t_test_holm = p; });
    correct(
        summaries, metric,
        [](const Comparison& c) { return c.delong ? c.delong->p : std::nullopt; },
        [](Comparison& c, double p) { c.delong_holm = p; });
  }
}

const Comparison* against_best(const DatasetSummary& summary, std::size_t metric) {
  const Comparison* best = nullptr;
  const auto mean_of = [&](const Comparison& c) {
    return summary.rows[c.row].metrics[metric].mean;
  };
  for (const Comparison& comparison : summary.comparisons) {
    if (comparison.metric == metric &&
        (best == nullptr || is_better(metric, mean_of(comparison), mean_of(*best)))) {
      best = &comparison;
    }
  }
  return best;
}

bool is_significant(const Comparison& comparison) {
  const std::optional<double> p =
      comparison.t_test ? comparison.t_test_holm : comparison.delong_holm;
  return p && *p < kLevel && is_better(comparison.metric, comparison.difference, 0.0);
}

}  // namespace rallrec::pipeline
