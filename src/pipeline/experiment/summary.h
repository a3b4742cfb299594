#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "metrics/bootstrap.h"
#include "metrics/delong.h"
#include "metrics/student_t.h"
#include "pipeline/experiment/cell_result.h"

namespace rallrec::pipeline {

// What tables show of a cell. log_loss_squashed is what most published log losses are.
constexpr std::array<const char*, 4> kMetricNames = {"auc", "log_loss", "log_loss_squashed",
                                                     "accuracy"};
constexpr std::size_t kAuc = 0;
constexpr std::size_t kLogLoss = 1;
constexpr std::size_t kLogLossSquashed = 2;
constexpr std::size_t kAccuracy = 3;

// A metric over seeds.
struct MetricSummary {
  std::vector<double> values;  // one per seed that has it
  double mean = 0.0;
  std::optional<double> deviation;  // empty with one value
};
using MetricSummaries = std::array<MetricSummary, kMetricNames.size()>;

// A system at one point of its sweeps, over seeds.
struct SummaryRow {
  const Cell* cell = nullptr;       // the first seed's
  std::vector<std::size_t> cells;   // of all cells, those that are done, by seed
  std::vector<std::int64_t> seeds;  // theirs
  std::int64_t failed = 0;
  std::string error;  // of the first that failed
  // On the rows that all systems have scored.
  std::int64_t n = 0;
  MetricSummaries metrics;
  // On the cells' own rows, where those are others.
  std::int64_t full_n = 0;
  MetricSummaries full;
  std::optional<std::int64_t> train_prompts;
  double seconds = 0.0;
  std::optional<config::PublishedRow> published;
};

struct SeedTest {
  std::int64_t seed = 0;
  metrics::AucTest test;
  std::optional<double> p_holm;
};

// What a row's reference has more of a metric than the row.
struct Comparison {
  std::size_t row = 0;
  std::size_t reference = 0;  // the reference's row
  std::size_t metric = kAuc;
  std::vector<std::int64_t> seeds;  // that both have
  double difference = 0.0;          // of the means over them
  // Over the seeds: what is left to chance is the tuning.
  std::optional<metrics::PairedTest> t_test;
  std::optional<double> t_test_holm;
  // Of that difference, 95 %, resampling users: what is left to chance is who is asked.
  std::optional<metrics::Interval> bootstrap;
  // Of the AUC, seed by seed.
  std::vector<SeedTest> delong;
};

struct DatasetSummary {
  const config::GridDataset* dataset = nullptr;
  std::string data;  // name of the folder or file
  // Rows of the test split that every finished cell has scored; 0 where they cannot be matched.
  std::int64_t common_rows = 0;
  std::vector<SummaryRow> rows;
  std::vector<Comparison> comparisons;
};

// Evaluates the finished cells of one data set on the rows that all of them have scored (sets
// `common` of their results), and compares each system with the reference. p-values are not
// corrected yet. `cells` and `results` are those of the experiment; `published` has the rows to
// show, for `table`. Collective.
DatasetSummary summarise(const config::Grid& grid, const config::GridDataset& dataset,
                         const config::Published& published, const std::vector<Cell>& cells,
                         std::vector<CellResult>& results, distributed::Communicator& communicator);

// Corrects the p-values of all comparisons for their number (Holm), metric by metric and test by
// test.
void correct_for_number(std::vector<DatasetSummary>& summaries);

// The comparison of `reference` with the row whose mean is best among the others at this metric;
// null where there is none.
const Comparison* against_best(const DatasetSummary& summary, const std::string& reference,
                               std::size_t metric);

// Whether the reference is better there with a corrected p below 0.01 of the t-test over seeds.
// With one seed it never is: no test of one run says what another seed of the tuning would give.
bool is_significant(const Comparison& comparison);

// Whether `a` is the better value of a metric.
bool is_better(std::size_t metric, double a, double b);

}  // namespace rallrec::pipeline
