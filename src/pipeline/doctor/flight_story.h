#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::pipeline {

// One line of a flight record (docs/formats.md).
struct FlightLine {
  double age = 0.0;   // seconds before the record was written
  std::string kind;   // stage, phase, step, layer, call, wait or done
  std::string place;  // "tune, step 12, backward, layer 3"
  std::int64_t sequence = 0;
  std::string collective;  // "all_reduce of 4096 x float32"; empty before the first one
};

struct FlightFile {
  int rank = 0;
  int ranks = 1;
  std::string host;
  std::string job;
  double unix_time = 0.0;  // when it was written
  std::int64_t calls = 0;
  std::string verdict;
  std::vector<FlightLine> lines;  // oldest first
};

// The records rank<k>.jsonl of a folder, by rank: of the job that wrote last, for an earlier hang
// of the same run has left its own. Throws Error where there is none (missing input) or one is
// malformed (bad data).
std::vector<FlightFile> read_flight_files(const std::string& folder);

// Who waited for whom, and where, in words: the verdict, then a line per rank, then what follows
// from comparing them.
std::string flight_story(const std::vector<FlightFile>& files);

}  // namespace rallrec::pipeline
