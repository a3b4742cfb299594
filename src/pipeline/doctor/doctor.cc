#include "pipeline/doctor/doctor.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/host_name.h"
#include "pipeline/build_info.h"
#include "pipeline/doctor/folder_findings.h"
#include "pipeline/doctor/job_findings.h"
#include "pipeline/doctor/loaded_libraries.h"
#include "pipeline/doctor/machine_findings.h"

namespace rallrec::pipeline {
namespace {

// The folder itself, or the nearest above it that is there.
std::string existing_folder(const std::string& wanted) {
  std::filesystem::path path = std::filesystem::absolute(wanted.empty() ? "." : wanted);
  std::error_code ignored;
  while (!std::filesystem::is_directory(path, ignored) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path.string();
}

std::vector<std::string> loaded_now() {
  std::ifstream file("/proc/self/maps");
  return mapped_libraries(
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
}

Findings of_job(Findings findings) {
  for (Finding& finding : findings) {
    finding.of_job = true;
  }
  return findings;
}

void append(Findings& findings, const Findings& more) {
  findings.insert(findings.end(), more.begin(), more.end());
}

}  // namespace

std::vector<SharedFinding> examine(const DoctorRequest& request, const config::Options& options,
                                   distributed::Communicator& communicator) {
  const std::vector<std::string> hosts = distributed::all_gather_strings(communicator, host_name());
  const auto here = static_cast<int>(std::count(hosts.begin(), hosts.end(), host_name()));
  // The first rank of a host speaks for its file systems.
  const bool first_here =
      std::find(hosts.begin(), hosts.end(), host_name()) == hosts.begin() + communicator.rank();
  const std::vector<std::string> libraries = loaded_now();
  const std::string folder = existing_folder(request.folder);
  Findings mine = {{Severity::kOk, "build", version_text(), ""}};
  append(mine, library_findings(libraries));
  append(mine, launcher_findings(libraries, communicator.size()));
  append(mine, machine_findings(options, here));
  if (first_here) {
    append(mine, wanted_folder_findings(request.folder, folder));
    append(mine, folder_findings(folder));
  }
  if (communicator.size() > 1) {
    append(mine, of_job(shared_folder_findings(folder, communicator)));
  }
  append(mine, of_job(exchange_findings(communicator, request.seconds)));
  std::vector<Findings> all;
  for (const std::string& text : distributed::all_gather_strings(communicator, to_text(mine))) {
    all.push_back(findings_in(text));
  }
  return communicator.rank() == 0 ? join_findings(all) : std::vector<SharedFinding>();
}

ExitCode code_of(const std::vector<SharedFinding>& findings) {
  const auto broken = std::find_if(findings.begin(), findings.end(), [](const SharedFinding& one) {
    return one.finding.severity == Severity::kBroken;
  });
  return broken == findings.end() ? ExitCode::kDone : broken->finding.code;
}

}  // namespace rallrec::pipeline
