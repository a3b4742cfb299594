#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "pipeline/bench/bench.h"

namespace rallrec::commands {

// `rallrec bench scaling`: the same stage on several numbers of ranks, each in a process group of
// its own.
struct ScalingRequest {
  std::vector<int> ranks = {1, 2};
  std::string mode = "strong";  // strong: the same work for all; weak: the same work for each rank
  // What starts the program on {ranks} ranks.
  std::string launcher = "mpirun -n {ranks} --bind-to none --oversubscribe";
  std::string output;  // folder for scaling.csv, scaling.json and scaling.png; "" = none
  bool mllog = false;  // print lines as MLPerf's logging library does, beside the table
  pipeline::BenchRequest bench;
};

// Prints a table in CSV: rate, efficiency (rate per rank over that of the first point), bytes,
// overlap, cores. Throws kNonFinite where points of mode strong do not have the same result to the
// bit, usage where this process is one of several ranks, and the child's code where one fails.
int run_scaling(const ScalingRequest& request, const CommandContext& context);

}  // namespace rallrec::commands
