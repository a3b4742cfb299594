#include "pipeline/experiment/summary_json.h"

#include <algorithm>
#include <utility>

#include "io/json_writer.h"
#include "pipeline/evaluate.h"

namespace rallrec::pipeline {
namespace {

using io::JsonObjectWriter;

std::string optional_json(const std::optional<double>& value) {
  return value ? io::to_json(*value) : "null";
}

template <typename Item, typename ToJson>
std::string list_json(const std::vector<Item>& items, const ToJson& to_json) {
  std::string text;
  for (const Item& item : items) {
    text.append(text.empty() ? "" : ", ").append(to_json(item));
  }
  return "[" + text + "]";
}

JsonObjectWriter metrics_json(const MetricSummaries& metrics) {
  JsonObjectWriter object;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    if (!metrics[m].values.empty()) {
      JsonObjectWriter metric;
      metric.add("mean", metrics[m].mean).add_json("sd", optional_json(metrics[m].deviation));
      metric.add("values", metrics[m].values);
      object.add_json(kMetricNames[m], metric.text());
    }
  }
  return object;
}

std::string full_json(const SummaryRow& row) {
  if (row.full_n == 0) {
    return "null";
  }
  const std::string metrics = metrics_json(row.full).text();
  return "{\"n\": " + std::to_string(row.full_n) + ", " + metrics.substr(1);
}

std::string row_json(const SummaryRow& row) {
  JsonObjectWriter object;
  object.add("system", row.cell->system->name).add("label", row.cell->system->label);
  object.add_json("sweep", settings_json(row.cell->sweep)).add("model", model_of(*row.cell));
  object.add("baseline", scored_model(row.cell->options) == "baseline");
  object.add("helper", row.cell->system->helper);
  object.add("seeds", row.seeds).add("failed", row.failed).add("error", row.error);
  object.add_json("train_prompts", row.train_prompts ? io::to_json(*row.train_prompts) : "null");
  object.add("n", row.n).add_json("metrics", metrics_json(row.metrics).text());
  object.add_json("full", full_json(row)).add_json("published", published_json(row.published));
  return object.add("seconds", row.seconds).text();
}

std::string t_test_json(const Comparison& comparison) {
  if (!comparison.t_test) {
    return "null";
  }
  JsonObjectWriter object;
  object.add("seeds", comparison.t_test->pairs);
  object.add_json("t", optional_json(comparison.t_test->t));
  object.add("df", comparison.t_test->pairs - 1);
  object.add_json("p", optional_json(comparison.t_test->p));
  return object.add_json("p_holm", optional_json(comparison.t_test_holm)).text();
}

std::string delong_json(const SeedTest& test) {
  JsonObjectWriter object;
  object.add("seed", test.seed).add_json("z", optional_json(test.test.z));
  object.add_json("p", optional_json(test.test.p));
  return object.add_json("p_holm", optional_json(test.p_holm)).text();
}

std::string comparison_json(const Comparison& comparison, const DatasetSummary& summary) {
  const SummaryRow& other = summary.rows[comparison.row];
  JsonObjectWriter object;
  object.add("reference", summary.rows[comparison.reference].cell->system->name);
  object.add("system", other.cell->system->name);
  object.add_json("sweep", settings_json(other.cell->sweep));
  object.add("metric", kMetricNames[comparison.metric]).add("n", other.n);
  object.add("seeds", comparison.seeds).add("difference", comparison.difference);
  const auto& interval = comparison.bootstrap;
  object.add_json("bootstrap", interval ? "[" + io::to_json(interval->low) + ", " +
                                              io::to_json(interval->high) + "]"
                                        : "null");
  object.add_json("t_test", t_test_json(comparison));
  return object.add_json("delong", list_json(comparison.delong, delong_json)).text();
}

std::string best_json(const DatasetSummary& summary, const std::string& reference) {
  JsonObjectWriter best;
  for (std::size_t m = 0; m < kMetricNames.size(); ++m) {
    if (const Comparison* comparison = against_best(summary, reference, m)) {
      JsonObjectWriter object;
      object.add("system", summary.rows[comparison->row].cell->system->name);
      best.add_json(kMetricNames[m], object.add("star", is_significant(*comparison)).text());
    }
  }
  return best.text();
}

std::string dataset_json(const DatasetSummary& summary, const config::Grid& grid,
                         const config::Published& published) {
  JsonObjectWriter object;
  const std::string& name = summary.dataset->published;
  object.add("dataset", summary.dataset->name).add("data", summary.data);
  object.add("common_rows", summary.common_rows).add("published_as", name);
  object.add_json("published_p", published_json(published.row(grid.table, name, "p_value")));
  object.add_json("rows", list_json(summary.rows, row_json));
  object.add_json("comparisons", list_json(summary.comparisons, [&](const Comparison& comparison) {
                    return comparison_json(comparison, summary);
                  }));
  return object.add_json("best_other", best_json(summary, grid.reference)).text();
}

struct StageTotal {
  std::string stage;
  std::int64_t ran = 0;
  std::int64_t shared = 0;
  double seconds = 0.0;
};

std::vector<StageTotal> stage_totals(const std::vector<CellResult>& results) {
  std::vector<StageTotal> totals;
  for (const CellResult& result : results) {
    for (const StageOutcome& stage : result.stages) {
      auto found = std::find_if(totals.begin(), totals.end(), [&stage](const StageTotal& total) {
        return total.stage == stage.stage;
      });
      if (found == totals.end()) {
        totals.push_back({stage.stage});
        found = totals.end() - 1;
      }
      (stage.shared ? found->shared : found->ran) += 1;
      found->seconds += stage.shared ? 0.0 : stage.seconds;
    }
  }
  return totals;
}

std::string cost_json(const std::vector<CellResult>& results) {
  JsonObjectWriter stages;
  double seconds = 0.0;
  for (const StageTotal& total : stage_totals(results)) {
    JsonObjectWriter stage;
    stage.add("ran", total.ran).add("shared", total.shared).add("seconds", total.seconds);
    stages.add_json(total.stage, stage.text());
    seconds += total.seconds;
  }
  JsonObjectWriter cost;
  return cost.add("seconds", seconds).add_json("stages", stages.text()).text();
}

std::string cells_json(const std::vector<CellResult>& results) {
  const auto done = std::count_if(results.begin(), results.end(),
                                  [](const CellResult& result) { return result.done; });
  const auto failed = std::count_if(results.begin(), results.end(), [](const CellResult& result) {
    return result.failure.has_value();
  });
  JsonObjectWriter object;
  return object.add("all", results.size()).add("done", done).add("failed", failed).text();
}

}  // namespace

std::string summary_json(const std::string& name, const config::Grid& grid,
                         const config::Published& published,
                         const std::vector<DatasetSummary>& summaries,
                         const std::vector<CellResult>& results) {
  JsonObjectWriter object;
  object.add("experiment", name).add("title", grid.title).add("table", grid.table);
  object.add("reference", grid.reference).add("seeds", grid.seeds);
  object.add("source", published.source).add("published_model", published.model);
  object.add_json("datasets", list_json(summaries, [&](const DatasetSummary& summary) {
                    return dataset_json(summary, grid, published);
                  }));
  object.add_json("cells", cells_json(results)).add_json("cost", cost_json(results));
  return object.text() + "\n";
}

}  // namespace rallrec::pipeline
