#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace rallrec::data {

// The folder of data sets that may not be redistributed: $RALLREC_SHARED_DIR/data, or
// ../shared/data beside the source tree.
inline std::string shared_data_dir() {
  const char* folder = std::getenv("RALLREC_SHARED_DIR");
  return std::string(folder != nullptr ? folder : RALLREC_SOURCE_DIR "/../shared") + "/data";
}

inline bool is_absent(const std::string& path) {
  if (std::filesystem::exists(path)) return false;
  std::fprintf(stderr, "\n*** SKIPPED: %s is absent, so its counts are not checked ***\n\n",
               path.c_str());
  return true;
}

}  // namespace rallrec::data
