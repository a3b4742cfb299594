#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "data/datasets/atomic_ctr.h"
#include "distributed/communicator.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The id-feature baselines, a stage each, named baseline/<model>. A run has one where its `stages`
// name baseline. From ingest/interactions.h5 to, in baseline/<model>:
//   scores.jsonl   {"label", "score", "user", "item", "timestamp"} per test sample, in their order;
//                  no timestamp where the source has none
//   metrics.json   of the test samples, and how training went
const std::vector<Stage>& baseline_table();

// A person's own files instead: `output` gets the same, a score per line of the test file, in its
// order, and metrics.json, which is written last. What an earlier run left under these names is
// removed first. Collective.
void baseline_on_files(const std::string& model, const data::CtrFiles& files,
                       const std::string& output, const config::Options& options,
                       distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
