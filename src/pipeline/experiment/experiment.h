#pragma once

#include <string>
#include <vector>

#include "config/published.h"
#include "core/error.h"
#include "distributed/communicator.h"
#include "pipeline/experiment/cell.h"

namespace rallrec::pipeline {

struct ExperimentRequest {
  config::Grid grid;
  config::Published published;
  CellSources from;
  // Systems to run; empty = all.
  std::vector<std::string> only;
  // Where stages that cells have in common are kept; empty = `store` in the experiment's folder.
  // Several grids may name the same folder, one program at a time.
  std::string store;
  // Seconds that a failed rank waits for the others to report the same (cell_failure.h).
  double patience = 10.0;
};

struct ExperimentOutcome {
  // kDone, or that of the first cell that failed.
  ExitCode code = ExitCode::kDone;
  // The tables, on rank 0.
  std::string tables;
};

// Runs every cell of a grid as a run of its own below the experiment's folder, sharing the stages
// that cells have in common through the store, and writes results.jsonl after each, then
// summary.json, table.md and table.tex. A cell that is up to date costs nothing; one that fails is
// recorded and the others go on. A cell in which a rank failed alone ended the program the last
// time: it comes last, after the tables of the others are written. Collective.
ExperimentOutcome run_experiment(const ExperimentRequest& request,
                                 distributed::Communicator& communicator);

// One line per cell with its stages.
std::string plan_lines(const std::vector<Cell>& cells);

}  // namespace rallrec::pipeline
