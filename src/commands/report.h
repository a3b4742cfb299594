#pragma once

#include <string>

namespace rallrec::commands {

// Writes the HTML page about a run folder to `output` ("" = report.html in the folder) and returns
// its path. Stages that the folder lacks are left out. Needs the project's Python
// (run_python_tool).
std::string write_report(const std::string& run_dir, const std::string& output = "");

// The same about the folder of an experiment.
std::string write_experiment_report(const std::string& folder, const std::string& output = "");

}  // namespace rallrec::commands
