#pragma once

#include <string>
#include <vector>

#include "pipeline/run_pipeline.h"

namespace rallrec::pipeline {

// The table of stages: stage, status (done or kept), seconds, ranks, work.
std::string stage_lines(const std::vector<StageOutcome>& outcomes);

}  // namespace rallrec::pipeline
