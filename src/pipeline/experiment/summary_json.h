#pragma once

#include <string>
#include <vector>

#include "pipeline/experiment/summary.h"

namespace rallrec::pipeline {

// The text of summary.json; docs/formats.md has its keys. `name` is the experiment's.
std::string summary_json(const std::string& name, const config::Grid& grid,
                         const config::Published& published,
                         const std::vector<DatasetSummary>& summaries,
                         const std::vector<CellResult>& results);

}  // namespace rallrec::pipeline
