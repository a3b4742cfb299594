#pragma once

#include <string>
#include <vector>

#include "pipeline/doctor/finding.h"

namespace rallrec::pipeline {

// Files that a process has mapped to execute, from the text of /proc/self/maps; each once.
std::vector<std::string> mapped_libraries(const std::string& maps);

// Whether what must be there once is there once, and what must not be is not: OpenMP, NCCL,
// protobuf, HDF5. Then the version of each library that matters, as its file name tells it.
Findings library_findings(const std::vector<std::string>& libraries);

}  // namespace rallrec::pipeline
