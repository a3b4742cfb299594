#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// Writes config.resolved.toml and environment.json (versions, hosts, cores, ranks, threads, CPU
// instructions) into the run folder. Called by all ranks; rank 0 writes.
void describe_run(const std::string& run_dir, const config::Options& options,
                  distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
