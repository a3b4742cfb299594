#include "pipeline/experiment/summary.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/files.h"
#include "io/json_value.h"
#include "metrics/common_rows.h"
#include "pipeline/evaluate.h"
#include "pipeline/experiment/comparison.h"

namespace rallrec::pipeline {
namespace {

using metrics::ScoredSamples;

bool same_point(const Cell& a, const Cell& b) { return a.system == b.system && same_sweep(a, b); }

// The rows of a data set, empty but for the cells that they are made of.
std::vector<SummaryRow> group(const config::GridDataset& dataset, const std::vector<Cell>& cells) {
  std::vector<SummaryRow> rows;
  for (const Cell& cell : cells) {
    if (cell.dataset != &dataset) {
      continue;
    }
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const SummaryRow& row) {
      return same_point(*row.cell, cell);
    });
    if (!known) {
      rows.emplace_back();
      rows.back().cell = &cell;
    }
  }
  // In the file's order, which cells do not go by.
  std::stable_sort(rows.begin(), rows.end(), [](const SummaryRow& a, const SummaryRow& b) {
    return a.cell->system < b.cell->system;
  });
  return rows;
}

void finish(MetricSummary& summary) {
  const auto count = static_cast<double>(summary.values.size());
  for (const double value : summary.values) {
    summary.mean += value / count;
  }
  if (summary.values.size() < 2) {
    return;
  }
  double squares = 0.0;
  for (const double value : summary.values) {
    squares += (value - summary.mean) * (value - summary.mean);
  }
  summary.deviation = std::sqrt(squares / (count - 1.0));
}

std::array<std::optional<double>, kMetricNames.size()> values_of(const metrics::Evaluation& found) {
  return {found.auc, found.log_loss, found.log_loss_squashed, found.accuracy};
}

// Adds the metrics of evaluate/metrics.json where they are of other rows than `n`.
void add_full(const CellResult& result, std::int64_t n, SummaryRow& row) {
  const io::JsonValue object = io::parse_json("evaluate/metrics.json", result.metrics);
  const io::JsonValue* count = object.find("n");
  if (count == nullptr || count->integer() == nullptr || *count->integer() == n) {
    return;
  }
  row.full_n = *count->integer();
  for (std::size_t m = 0; m < kMetricNames.size(); ++m) {
    const io::JsonValue* value = object.find(kMetricNames[m]);
    double number = 0.0;
    if (value != nullptr && value->number(&number)) {
      row.full[m].values.push_back(number);
    }
  }
}

void add_cell(std::size_t index, const Cell& cell, const CellResult& result, SummaryRow& row) {
  row.seconds += own_seconds(result);
  if (!result.done) {
    row.failed += result.failure ? 1 : 0;
    row.error = row.error.empty() && result.failure ? result.failure->message : row.error;
    return;
  }
  row.cells.push_back(index);
  row.seeds.push_back(cell.seed);
  row.train_prompts = train_prompts_of(result);
  row.n = result.common->n;
  const auto values = values_of(*result.common);
  for (std::size_t m = 0; m < values.size(); ++m) {
    if (values[m]) {
      row.metrics[m].values.push_back(*values[m]);
    }
  }
  if (!result.metrics.empty()) {
    add_full(result, row.n, row);
  }
}

// The scores of the finished cells of a data set, on their common rows where they have any. By the
// number of the cell.
CellScores read_scores(const config::GridDataset& dataset, const std::vector<Cell>& cells,
                       const std::vector<CellResult>& results, std::int64_t* common_rows,
                       distributed::Communicator& communicator) {
  CellScores scores;
  std::vector<const ScoredSamples*> sets;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].dataset == &dataset && results[i].done) {
      const std::string path =
          cells[i].options.output.run_dir + "/" + scores_of_run(cells[i].options);
      scores[i] = read_run_scores(path, cells[i].options, communicator);
      sets.push_back(&scores[i]);
    }
  }
  const std::vector<std::uint64_t> rows = metrics::common_rows(sets);
  *common_rows = static_cast<std::int64_t>(rows.size());
  for (auto& [index, samples] : scores) {
    samples = rows.empty() ? samples : metrics::restricted_to(samples, rows);
  }
  return scores;
}

}  // namespace

DatasetSummary summarise(const config::Grid& grid, const config::GridDataset& dataset,
                         const config::Published& published, const std::vector<Cell>& cells,
                         std::vector<CellResult>& results,
                         distributed::Communicator& communicator) {
  DatasetSummary summary;
  summary.dataset = &dataset;
  summary.rows = group(dataset, cells);
  const CellScores scores =
      read_scores(dataset, cells, results, &summary.common_rows, communicator);
  for (const auto& [index, samples] : scores) {
    results[index].common = metrics::evaluate_samples(
        communicator, samples, bootstrap_options(cells[index].options.evaluate));
  }
  for (SummaryRow& row : summary.rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].dataset == &dataset && same_point(*row.cell, cells[i])) {
        add_cell(i, cells[i], results[i], row);
      }
    }
    std::for_each(row.metrics.begin(), row.metrics.end(), finish);
    std::for_each(row.full.begin(), row.full.end(), finish);
    row.published = row.cell->sweep.empty()
                        ? published.row(grid.table, dataset.published, row.cell->system->name)
                        : std::nullopt;
    summary.data = io::name_of(row.cell->options.data.path);
  }
  summary.comparisons = compare(grid, summary.rows, cells, scores, communicator);
  return summary;
}

bool is_better(std::size_t metric, double a, double b) {
  return metric == kLogLoss || metric == kLogLossSquashed ? a < b : a > b;
}

}  // namespace rallrec::pipeline
