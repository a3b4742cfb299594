#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/doctor/finding.h"

namespace rallrec::pipeline {

struct DoctorRequest {
  std::string folder;  // of the run, or where one will be: the nearest folder that exists is tried
  double seconds = 2.0;  // of the all-reduce
};

// Looks at build, libraries, launcher, machine, file system and the exchange between the ranks.
// Findings of all ranks are joined on rank 0; the others get none. Collective.
std::vector<SharedFinding> examine(const DoctorRequest& request, const config::Options& options,
                                   distributed::Communicator& communicator);

// That of the first broken finding, 0 where nothing is broken.
ExitCode code_of(const std::vector<SharedFinding>& findings);

}  // namespace rallrec::pipeline
