#pragma once

#include "distributed/communicator.h"
#include "pipeline/doctor/finding.h"

namespace rallrec::pipeline {

// Of the launcher and the MPI library, by this rank. `libraries` are those that are loaded.
Findings launcher_findings(const std::vector<std::string>& libraries, int ranks);

// Clock skew between the ranks, and an all-reduce of `seconds`: its sum is checked, its bandwidth
// told. The findings are rank 0's. Collective.
Findings exchange_findings(distributed::Communicator& communicator, double seconds);

}  // namespace rallrec::pipeline
