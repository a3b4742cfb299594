#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

namespace rallrec::testing {

// How often a test repeats what it does: `usual` times in a normal run, `full` times under `make
// soak` (RALLREC_SOAK=full), or as often as RALLREC_SOAK_<id> says.
inline int soak_count(const std::string& id, int usual, int full) {
  if (const char* own = std::getenv(("RALLREC_SOAK_" + id).c_str())) {
    return std::atoi(own);
  }
  const char* soak = std::getenv("RALLREC_SOAK");
  return soak != nullptr && std::string(soak) == "full" ? full : usual;
}

// One line of JSON in the file that RALLREC_SOAK_EVENTS names, at once: a test that is broken off
// has lost nothing of what it did. Without the variable nothing is written.
inline void record_event(const std::string& json) {
  if (const char* path = std::getenv("RALLREC_SOAK_EVENTS")) {
    std::ofstream(path, std::ios::app) << json << std::endl;
  }
}

// Whether the minutes that RALLREC_SOAK_MINUTES allows are over since the first call.
inline bool soak_time_is_over() {
  static const auto start = std::chrono::steady_clock::now();
  const char* minutes = std::getenv("RALLREC_SOAK_MINUTES");
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  return minutes != nullptr && spent.count() >= 60.0 * std::atof(minutes);
}

// What was really done, for the result file of `make soak`.
inline void record_count(const std::string& what, int count) {
  ::testing::Test::RecordProperty(what, count);
}

}  // namespace rallrec::testing
