#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/published.h"
#include "metrics/evaluation.h"
#include "pipeline/experiment/cell.h"
#include "pipeline/experiment/cell_failure.h"
#include "pipeline/run_pipeline.h"

namespace rallrec::pipeline {

// What became of a cell. Complete on rank 0; `failure` and `done` are equal on all ranks.
struct CellResult {
  bool done = false;
  std::optional<Failure> failure;
  std::vector<StageOutcome> stages;
  // The object of evaluate/metrics.json about the cell's own scores, as it stands there; "" before.
  std::string metrics;
  // Of the rows that all systems of the data set have scored; on all ranks.
  std::optional<metrics::Evaluation> common;
};

// Reads the metrics of a run that has ended.
std::string metrics_of_run(const Cell& cell);

// Seconds that the cell itself took: of the stages that were not shared.
double own_seconds(const CellResult& result);

// How many prompts its adapter was trained on; nothing where it has trained none.
std::optional<std::int64_t> train_prompts_of(const CellResult& result);

// The name of the LLM's folder, or of the baseline.
std::string model_of(const Cell& cell);

// The line of results.jsonl; docs/formats.md has its keys. `experiment` is the grid's name.
std::string result_line(const std::string& experiment, const Cell& cell, const CellResult& result,
                        const std::optional<config::PublishedRow>& published);

// {"auc", "log_loss", "accuracy", "log_loss_is_squashed"}, or null.
std::string published_json(const std::optional<config::PublishedRow>& row);

}  // namespace rallrec::pipeline
