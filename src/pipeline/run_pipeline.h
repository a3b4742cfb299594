#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "io/artifact_store.h"
#include "pipeline/stage.h"
#include "pipeline/stage_store.h"

namespace rallrec::pipeline {

struct RunRequest {
  // The run folder; made where it does not exist.
  std::string run_dir;
  // Names of the stages to go through, in any order; empty = all of the table.
  std::vector<std::string> stages;
  // Run stages that are up to date too.
  bool force = false;
  // As StageContext::resume.
  std::string resume = "auto";
  // Where results are taken from that another run has made of the same inputs and settings, and
  // kept for others; null = none. `force` takes nothing from it.
  const StageStore* store = nullptr;
};

struct StageOutcome {
  std::string stage;
  bool kept = false;  // was up to date; the figures are those of the run that made it
  double seconds = 0.0;
  std::int64_t ranks = 1;
  std::int64_t threads = 1;
  io::Figures figures;
  bool shared = false;  // made in another run, and taken from the store
};

// Goes through the stages in the table's order: a stage whose manifest still matches is kept, any
// other is taken from the store or run, and leaves a manifest. Holds the run folder's lock, writes
// config.resolved.toml, environment.json and run.log. Called by all ranks, of which rank 0 decides;
// outcomes are complete on rank 0 and hold no figures elsewhere. Stopping it at any moment and
// starting it again is safe. What fails on rank 0 between stages is thrown by all ranks.
std::vector<StageOutcome> run_pipeline(const RunRequest& request, const config::Options& options,
                                       distributed::Communicator& communicator,
                                       const std::vector<Stage>& table);

}  // namespace rallrec::pipeline
