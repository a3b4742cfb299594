#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace rallrec::pipeline {

// kNote: worth knowing. kWarning: works, but not as it should. kBroken: runs will fail.
enum class Severity { kOk, kNote, kWarning, kBroken };
const char* name_of(Severity severity);

// One thing that doctor has looked at.
struct Finding {
  Severity severity = Severity::kOk;
  std::string topic;   // "libraries", "MPI", …
  std::string text;    // what was found, with figures
  std::string advice;  // what to do about it; empty where there is nothing to do
  // Of kBroken: how doctor ends.
  ExitCode code = ExitCode::kDone;
  // Told by one rank, of the whole job.
  bool of_job = false;
};
using Findings = std::vector<Finding>;

// The same finding on some ranks.
struct SharedFinding {
  Finding finding;
  std::vector<int> ranks;
};

// What ranks send each other.
std::string to_text(const Findings& findings);
Findings findings_in(const std::string& text);

// Findings of all ranks, equal ones once, in the order in which the first rank met them.
std::vector<SharedFinding> join_findings(const std::vector<Findings>& of_ranks);

// "ok       MPI         Open MPI 4.1.4 …": one line each, advice on a line of its own.
std::string finding_lines(const std::vector<SharedFinding>& findings, int ranks);
// {"ranks": n, "findings": [{"severity", "topic", "text", "advice", "ranks"}]}.
std::string finding_json(const std::vector<SharedFinding>& findings, int ranks);

}  // namespace rallrec::pipeline
