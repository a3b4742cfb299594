#pragma once

#include <string>
#include <vector>

#include "pipeline/run_pipeline.h"

namespace rallrec::pipeline {

// The table of stages: stage, status (done, kept, or shared: made by another run), seconds, ranks,
// work. The total leaves out what is shared.
std::string stage_lines(const std::vector<StageOutcome>& outcomes);

// The table of evaluate/metrics.json: a line for the baseline, or for each of the zero-shot and the
// tuned model that is there, with 95 % intervals where there are any. "" where there is no such
// file; bad data where it is not one.
std::string metric_lines(const std::string& run_dir);

}  // namespace rallrec::pipeline
