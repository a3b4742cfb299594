#pragma once

#include "config/options.h"
#include "pipeline/doctor/finding.h"

namespace rallrec::pipeline {

// Of this rank's host and process: cores and threads, memory, limits, shared memory, GPUs and
// fabric. `ranks_here` is the number of ranks on this host.
Findings machine_findings(const config::Options& options, int ranks_here);

}  // namespace rallrec::pipeline
