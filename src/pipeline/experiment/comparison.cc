#include "pipeline/experiment/comparison.h"

#include <algorithm>

#include "metrics/evaluation.h"
#include "metrics/holm.h"
#include "pipeline/evaluate.h"

namespace rallrec::pipeline {
namespace {

constexpr double kLevel = 0.01;  // the published stars'

// The row to compare `row` with; null where it has none.
const SummaryRow* reference_for(const SummaryRow& row, const config::Grid& grid,
                                const std::vector<SummaryRow>& rows) {
  const std::string& reference = config::reference_of(grid, *row.cell->system);
  if (row.cell->system->name == reference || row.cell->system->helper) {
    return nullptr;
  }
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
  std::vector<double> before;
  std::vector<double> after;
  for (const SeedPair& pair : pairs) {
    comparison.seeds.push_back(reference.seeds[pair.reference]);
    before.push_back(theirs[pair.other]);
    after.push_back(ours[pair.reference]);
    comparison.difference += (after.back() - before.back()) / static_cast<double>(pairs.size());
  }
  comparison.t_test = metrics::paired_t_test(before, after);
  return comparison;
}

// What the samples themselves say, beside the metrics of each seed.
struct SampleTests {
  metrics::MetricIntervals intervals;
  std::vector<SeedTest> delong;
};

// Empty where the seeds did not all score the same samples. Collective.
SampleTests test_samples(const SummaryRow& reference, const SummaryRow& other,
                         const std::vector<SeedPair>& pairs, const std::vector<Cell>& cells,
                         const CellScores& scores, distributed::Communicator& communicator) {
  std::vector<metrics::SamplesPair> samples;
  for (const SeedPair& pair : pairs) {
    samples.push_back(
        {&scores.at(other.cells[pair.other]), &scores.at(reference.cells[pair.reference])});
  }
  const metrics::ScoredSamples& first = *samples.front().before;
  const bool same =
      std::all_of(samples.begin(), samples.end(), [&first](const metrics::SamplesPair& pair) {
        return metrics::same_samples(first, *pair.before) &&
               metrics::same_samples(first, *pair.after);
      });
  SampleTests tests;
  if (!same) {
    return tests;
  }
  tests.intervals = metrics::mean_difference_intervals(
      communicator, samples, bootstrap_options(cells[reference.cells.front()].options.evaluate));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const metrics::ScoredSamples& after = *samples[i].after;
    if (const auto test =
            metrics::delong_test(samples[i].before->scores, after.scores, after.labels)) {
      tests.delong.push_back({reference.seeds[pairs[i].reference], *test, {}});
    }
  }
  return tests;
}

void add_sample_tests(const SampleTests& tests, Comparison& comparison) {
  if (comparison.metric == kAuc) {
    comparison.delong = tests.delong;
    comparison.bootstrap = tests.intervals.auc;
  } else if (comparison.metric == kLogLoss) {
    comparison.bootstrap = tests.intervals.log_loss;
  } else if (comparison.metric == kAccuracy) {
    comparison.bootstrap = tests.intervals.accuracy;
  }
}

// A p-value and where its corrected value goes.
struct PValue {
  double p = 1.0;
  std::optional<double>* corrected = nullptr;
};

void correct(const std::vector<PValue>& values) {
  std::vector<double> p;
  for (const PValue& value : values) {
    p.push_back(value.p);
  }
  const std::vector<double> corrected = metrics::holm_adjusted(p);
  for (std::size_t i = 0; i < values.size(); ++i) {
    *values[i].corrected = corrected[i];
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
  for (const SummaryRow& row : rows) {
    const SummaryRow* reference = reference_for(row, grid, rows);
    if (reference == nullptr) {
      continue;
    }
    const std::vector<SeedPair> pairs = seeds_of_both(*reference, row);
    if (pairs.empty()) {
      continue;
    }
    const SampleTests tests = test_samples(*reference, row, pairs, cells, scores, communicator);
    for (std::size_t metric = 0; metric < kMetricNames.size(); ++metric) {
      if (auto comparison = over_seeds(*reference, row, metric, pairs)) {
        comparison->row = static_cast<std::size_t>(&row - rows.data());
        comparison->reference = static_cast<std::size_t>(reference - rows.data());
        add_sample_tests(tests, *comparison);
        comparisons.push_back(*comparison);
      }
    }
  }
  return comparisons;
}

void correct_for_number(std::vector<DatasetSummary>& summaries) {
  std::array<std::vector<PValue>, kMetricNames.size()> t_tests;
  std::vector<PValue> delong;
  for (DatasetSummary& summary : summaries) {
    for (Comparison& comparison : summary.comparisons) {
      if (comparison.t_test && comparison.t_test->p) {
        t_tests[comparison.metric].push_back({*comparison.t_test->p, &comparison.t_test_holm});
      }
      for (SeedTest& test : comparison.delong) {
        if (test.test.p) {
          delong.push_back({*test.test.p, &test.p_holm});
        }
      }
    }
  }
  std::for_each(t_tests.begin(), t_tests.end(), correct);
  correct(delong);
}

const Comparison* against_best(const DatasetSummary& summary, const std::string& reference,
                               std::size_t metric) {
  const Comparison* best = nullptr;
  const auto mean_of = [&](const Comparison& c) {
    return summary.rows[c.row].metrics[metric].mean;
  };
  for (const Comparison& comparison : summary.comparisons) {
    if (comparison.metric == metric &&
        summary.rows[comparison.reference].cell->system->name == reference &&
        (best == nullptr || is_better(metric, mean_of(comparison), mean_of(*best)))) {
      best = &comparison;
    }
  }
  return best;
}

bool is_significant(const Comparison& comparison) {
  return comparison.t_test_holm && *comparison.t_test_holm < kLevel &&
         is_better(comparison.metric, comparison.difference, 0.0);
}

}  // namespace rallrec::pipeline
