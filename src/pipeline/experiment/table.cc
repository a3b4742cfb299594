#include "pipeline/experiment/table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <set>

#include "config/did_you_mean.h"
#include "pipeline/evaluate.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kNothing = "–";

std::string label_of(const SummaryRow& row) {
  std::string label = row.cell->system->label;
  for (const config::FlagSetting& setting : row.cell->sweep) {
    label.append(", ").append(setting.name).append(" = ").append(setting.value);
  }
  return label;
}

std::string value_text(const MetricSummary& metric) {
  if (metric.values.empty()) {
    return kNothing;
  }
  // What no seed changes, such as a model that is not tuned, has no deviation to show.
  return metric.deviation && *metric.deviation > 0.0
             ? fmt::format("{:.4f} ± {:.4f}", metric.mean, *metric.deviation)
             : fmt::format("{:.4f}", metric.mean);
}

// The best of a column's values, which rows may lack.
template <typename ValueOf>
std::optional<double> best_of(const DatasetSummary& summary, std::size_t metric,
                              const ValueOf& value_of) {
  std::optional<double> best;
  for (const SummaryRow& row : summary.rows) {
    const std::optional<double> value = row.cell->system->helper ? std::nullopt : value_of(row);
    if (value && (!best || is_better(metric, *value, *best))) {
      best = value;
    }
  }
  return best;
}

std::optional<double> mean_of(const SummaryRow& row, std::size_t metric) {
  const MetricSummary& found = row.metrics[metric];
  return found.values.empty() ? std::nullopt : std::optional(found.mean);
}

// A published value in the column of `metric`. Log losses of one kind have no business in the
// column of the other.
std::optional<double> published_of(const SummaryRow& row, std::size_t metric) {
  if (!row.published || (metric == kLogLoss && row.published->squashed) ||
      (metric == kLogLossSquashed && !row.published->squashed)) {
    return std::nullopt;
  }
  switch (metric) {
    case kAuc:
      return row.published->auc;
    case kAccuracy:
      return row.published->accuracy;
    default:
      return row.published->log_loss;
  }
}

bool any_published(const DatasetSummary& summary) {
  return std::any_of(summary.rows.begin(), summary.rows.end(),
                     [](const SummaryRow& row) { return row.published.has_value(); });
}

void add_column(const DatasetSummary& summary, const std::string& reference, std::size_t metric,
                Table& table) {
  const auto best =
      best_of(summary, metric, [metric](const SummaryRow& row) { return mean_of(row, metric); });
  const Comparison* rival = against_best(summary, reference, metric);
  for (std::size_t r = 0; r < summary.rows.size(); ++r) {
    const SummaryRow& row = summary.rows[r];
    const bool star = row.cell->system->name == reference && row.cell->sweep.empty() &&
                      rival != nullptr && is_significant(*rival);
    table.rows[r].push_back({value_text(row.metrics[metric]),
                             !row.cell->system->helper && best && mean_of(row, metric) == best,
                             star});
  }
}

void add_published_column(const DatasetSummary& summary, std::size_t metric, Table& table) {
  const auto value_of = [metric](const SummaryRow& row) { return published_of(row, metric); };
  const auto best = best_of(summary, metric, value_of);
  for (std::size_t r = 0; r < summary.rows.size(); ++r) {
    const std::optional<double> value = value_of(summary.rows[r]);
    table.rows[r].push_back(
        {value ? fmt::format("{:.4f}", *value) : kNothing, best && value == best, false});
  }
}

std::string caption_of(const config::Grid& grid, const config::Published& published,
                       const DatasetSummary& summary) {
  std::set<std::string> models;
  for (const SummaryRow& row : summary.rows) {
    if (scored_model(row.cell->options) != "baseline") {
      models.insert(model_of(*row.cell));
    }
  }
  std::vector<std::string> seeds;
  for (const std::int64_t seed : grid.seeds) {
    seeds.push_back(std::to_string(seed));
  }
  std::string caption = summary.dataset->name + ": data " + summary.data;
  if (!models.empty()) {
    caption += ", model " + config::joined({models.begin(), models.end()});
  }
  caption += summary.common_rows > 0
                 ? fmt::format("; {} test rows that every system has scored", summary.common_rows)
                 : "; each system on its own test rows, which could not be matched";
  caption += (seeds.size() == 1 ? "; seed " : "; mean ± standard deviation over seeds ") +
             config::joined(seeds);
  if (any_published(summary)) {
    caption += "; published: " + published.model + " on " + summary.dataset->published + " (" +
               published.source + ")";
  }
  return caption + ".";
}

void add_notes(const config::Grid& grid, const config::Published& published,
               const DatasetSummary& summary, Table& table) {
  if (!summary.comparisons.empty()) {
    table.notes.emplace_back(
        grid.seeds.size() > 1
            ? "* better than the best other system with p < 0.01: paired t-test over seeds after "
              "Holm's correction over all such comparisons of the metric here."
            : "One seed: no stars, since no test of one run says what another seed would give.");
  }
  if (const auto p = published.row(grid.table, summary.dataset->published, "p_value")) {
    table.notes.push_back(
        fmt::format("Published p-values: AUC {:.2e}, log loss {:.2e}, accuracy {:.2e}.", p->auc,
                    p->log_loss, p->accuracy));
  }
  for (const SummaryRow& row : summary.rows) {
    if (row.full_n > 0) {
      table.notes.push_back(
          fmt::format("{} on all its {} test rows: AUC {}, log loss {}, accuracy {}.",
                      label_of(row), row.full_n, value_text(row.full[kAuc]),
                      value_text(row.full[kLogLoss]), value_text(row.full[kAccuracy])));
    }
  }
  for (const SummaryRow& row : summary.rows) {
    if (row.failed > 0) {
      table.notes.push_back(fmt::format("{}: {} of {} cells failed: {}", label_of(row), row.failed,
                                        row.failed + static_cast<std::int64_t>(row.seeds.size()),
                                        row.error));
    }
  }
}

}  // namespace

Table table_of(const config::Grid& grid, const config::Published& published,
               const DatasetSummary& summary) {
  Table table;
  table.caption = caption_of(grid, published, summary);
  table.head = {"system", "train prompts", "AUC", "log loss", "log loss, squashed", "accuracy"};
  for (const SummaryRow& row : summary.rows) {
    const std::string label =
        label_of(row) + (row.seeds.empty() && row.failed > 0 ? " (failed)" : "");
    table.rows.push_back(
        {{label, false, false},
         {row.train_prompts ? std::to_string(*row.train_prompts) : kNothing, false, false}});
  }
  for (std::size_t metric = 0; metric < kMetricNames.size(); ++metric) {
    add_column(summary, grid.reference, metric, table);
  }
  if (any_published(summary)) {
    for (const char* name : {"AUC", "log loss", "log loss, squashed", "accuracy"}) {
      table.head.push_back(std::string("published ") + name);
    }
    for (std::size_t metric = 0; metric < kMetricNames.size(); ++metric) {
      add_published_column(summary, metric, table);
    }
  }
  add_notes(grid, published, summary, table);
  return table;
}

}  // namespace rallrec::pipeline
