#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
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

// What was really done, for the result file of `make soak`.
inline void record_count(const std::string& what, int count) {
  ::testing::Test::RecordProperty(what, count);
}

}  // namespace rallrec::testing
