#pragma once

#include <string>

#include "distributed/communicator.h"
#include "pipeline/doctor/finding.h"

namespace rallrec::pipeline {

// Where `wanted` is no folder: that, and which existing one above it is looked at instead.
Findings wanted_folder_findings(const std::string& wanted, const std::string& looked_at);

// Of the file system that holds `folder` (which exists), by trying it: its kind and free space, how
// long an fsync takes, and whether a reader ever misses a file that is replaced by rename.
// Everything written is removed again.
Findings folder_findings(const std::string& folder);

// Whether all ranks see in `folder` what rank 0 writes there. The finding is rank 0's. Collective.
Findings shared_folder_findings(const std::string& folder, distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
