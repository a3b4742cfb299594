#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/bench/bench.h"

namespace rallrec::pipeline {

// Median, least and most of some runs.
struct Seconds {
  double median = 0.0;
  double least = 0.0;
  double most = 0.0;
};
Seconds seconds_of(std::vector<double> runs);

// Each arm once to warm up, then all of them in turn (A B A B …) `repeats` times; every run starts
// when all ranks are there and ends when all have ended.
std::vector<Seconds> time_arms(const std::vector<std::function<void()>>& arms, int repeats,
                               distributed::Communicator& communicator);

// What one arm came to. What is none, not measured or not a number is printed as null.
struct BenchLine {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  std::string bench;
  std::string arm;
  Seconds seconds;
  std::int64_t peak_bytes = 0;  // above the process before the model; 0 = not measured
  double work = 0.0;            // tokens, operations or bytes, as docs/benchmarks/engine.md says
  double rate = 0.0;            // work per second; 0 where nothing was timed
  double verified = kNone;      // largest difference to the arm it was compared with
  double ratio = 0.0;           // as docs/benchmarks/engine.md says; 0 = none
  std::vector<std::pair<std::string, double>> more;
};

// Prints the line with configuration, processor, versions and commit; rank 0 only.
void print_line(const BenchLine& line, const BenchRun& run);

// Two arms that did the same `work`: a line each, with the seconds of the second one over its own
// as ratio.
void print_pair(const BenchLine& common, const std::vector<std::string>& arms,
                const std::vector<Seconds>& seconds, const BenchRun& run);

// Throws kNonFinite where `difference` is not within `tolerance`, also where it is not a number.
void require_agreement(const std::string& what, double difference, double tolerance);

}  // namespace rallrec::pipeline
